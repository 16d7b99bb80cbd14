//! Whether a client waits: what it said last, it said twice.

use super::*;

#[test]
fn who_says_the_same_twice_after_the_last_answer_asks_on() {
    for (to, back) in [
        ("192.0.2.7:5000 > 198.51.100.21:7777", "198.51.100.21:7777 > 192.0.2.7:5000"),
        (
            "[2001:db8::7]:5000 > [2001:db8:1::21]:7777",
            "[2001:db8:1::21]:7777 > [2001:db8::7]:5000",
        ),
    ] {
        let [one, two, answer] = [Says::Bytes(1), Says::Bytes(2), Says::Bytes(900)];
        let cases: [(&str, &[Line], bool); 7] = [
            ("once", &[(0, to, one), (10, back, answer), (1_000, to, two)], false),
            (
                "twice",
                &[(0, to, one), (10, back, answer), (1_000, to, two), (2_000, to, two)],
                true,
            ),
            (
                "twice, then answered",
                &[(0, to, one), (1_000, to, one), (1_010, back, answer), (2_000, to, two)],
                false,
            ),
            (
                "the same each time, and answered each time",
                &[
                    (0, to, one),
                    (10, back, answer),
                    (1_000, to, one),
                    (1_010, back, answer),
                    (2_000, to, one),
                ],
                false,
            ),
            (
                "something new each time",
                &[(0, to, one), (10, back, answer), (20, to, two), (40, to, Says::Bytes(3))],
                false,
            ),
            (
                "a farewell, several times at once",
                &[(0, to, one), (10, back, answer), (1_000, to, two), (1_002, to, two)],
                false,
            ),
            (
                "of one length in text",
                &[(0, to, Says::Length(172)), (20, to, Says::Length(172))],
                false,
            ),
        ];
        for (name, lines, expected) in cases {
            let exchange = only_exchange(lines);
            assert_eq!(exchange.primary().asks_on, expected, "{name}, {to}");
        }
    }
}
