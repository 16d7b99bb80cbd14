//! How far an analysis is, on standard error.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState,
    ProgressStyle,
};

use super::render_harmless;
use crate::config::ShowProgress;
use crate::model::progress::Counts;

/// Of which inputs the size is known.
const BAR: &str =
    "{spinner} {msg} {wide_bar} {bytes} of {total_bytes}  {bytes_per_sec}  {packets}  {left}";
/// Of which it is not, and while there is nothing more to read.
const SPINNER: &str = "{spinner} {msg}  {bytes}  {bytes_per_sec}  {packets}";
const DIAGNOSING: &str = "{spinner} {msg}  {bytes}  {packets}";
/// Longer names would leave no room for the bar.
const LONGEST_NAME: usize = 32;

const REDRAW_TIME: Duration = Duration::from_millis(100);
/// The time between two lines where standard error is no terminal.
const LINE_TIME: Duration = Duration::from_secs(2);

/// Shows how far an analysis is; dropped, it is gone from the screen.
#[derive(Debug)]
pub struct Bar {
    drawn: ProgressBar,
    counts: Counts,
    /// When the next line is due, where lines are written instead of a bar.
    next_line: Option<Cell<Duration>>,
}

impl Bar {
    /// A bar for `inputs`, as far as it is wanted and there is a terminal for it.
    pub fn start(show: ShowProgress, inputs: &[&Path], counts: Counts) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let target = match show {
            ShowProgress::Auto | ShowProgress::Always if is_terminal => {
                ProgressDrawTarget::stderr()
            }
            ShowProgress::Auto | ShowProgress::Always | ShowProgress::Never => {
                ProgressDrawTarget::hidden()
            }
        };
        let is_shown = !target.is_hidden();
        let mut bar = Self::on(target, total_bytes(inputs), counts);
        if is_shown {
            // It moves while nothing comes, too.
            bar.drawn.enable_steady_tick(REDRAW_TIME);
        }
        bar.next_line = (show == ShowProgress::Always && !is_terminal).then(Cell::default);
        bar
    }

    fn on(target: ProgressDrawTarget, total_bytes: Option<u64>, counts: Counts) -> Self {
        let drawn = ProgressBar::with_draw_target(total_bytes, target);
        let template = if total_bytes.is_some() { BAR } else { SPINNER };
        drawn.set_style(style(template, &counts));
        Self { drawn, counts, next_line: None }
    }

    /// `input`, of which the bar shows what is read of it.
    pub fn follow<R: Read>(&self, name: &str, input: R) -> Followed<'_, R> {
        let mut name = render_harmless(name);
        if name.chars().count() > LONGEST_NAME {
            name = name.chars().take(LONGEST_NAME - 1).chain(['…']).collect();
        }
        self.drawn.set_message(name);
        Followed { input, shown: self }
    }

    /// What was read is read once more.
    pub fn begin_again(&self) {
        self.drawn.set_position(0);
    }

    /// All is read.
    pub fn diagnose(&self) {
        self.drawn.set_style(style(DIAGNOSING, &self.counts));
        self.drawn.set_message("diagnosing");
    }

    fn advance(&self, bytes: usize) {
        self.drawn.inc(u64::try_from(bytes).unwrap_or(u64::MAX));
        let Some(next_line) = &self.next_line else { return };
        let elapsed = self.drawn.elapsed();
        if elapsed >= next_line.get() {
            next_line.set(elapsed + LINE_TIME);
            // Where standard error is closed there is nobody left to tell.
            let _ = writeln!(io::stderr().lock(), "{}", self.line());
        }
    }

    fn line(&self) -> String {
        let mut line = format!("{}: {}", self.drawn.message(), HumanBytes(self.drawn.position()));
        if let Some(total) = self.drawn.length() {
            let _ = write!(line, " of {}", HumanBytes(total));
        }
        let _ = write!(line, ", packets: {}", HumanCount(self.counts.packets()));
        line
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

/// A reader that moves the bar.
#[derive(Debug)]
pub struct Followed<'a, R> {
    input: R,
    shown: &'a Bar,
}

impl<R: Read> Read for Followed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        self.shown.advance(bytes);
        Ok(bytes)
    }
}

/// Bytes of all inputs; `None` where one is no file with a size, as a pipe is.
fn total_bytes(inputs: &[&Path]) -> Option<u64> {
    inputs.iter().try_fold(0_u64, |total, path| {
        if path.as_os_str() == "-" {
            return None;
        }
        match std::fs::metadata(path) {
            Ok(file) if file.is_file() => Some(total.saturating_add(file.len())),
            Ok(_) => None,
            // It is told as an error when its turn comes.
            Err(_) => Some(total),
        }
    })
}

fn style(template: &str, counts: &Counts) -> ProgressStyle {
    let counts = counts.clone();
    let packets = move |_: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{} packets", HumanCount(counts.packets()));
    };
    // The templates are ours and tested; a wrong one would only look plain.
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("packets", packets).with_key("left", write_left)
}

/// How much longer it takes; nothing where nothing was read to judge by.
fn write_left(state: &ProgressState, text: &mut dyn std::fmt::Write) {
    if state.pos() > 0 {
        let _ = write!(text, "{:#} left", HumanDuration(state.eta()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what was written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Screen {
        fn note(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }

        fn text(&self) -> String {
            self.0.lock().unwrap().concat()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }
        fn move_cursor_up(&self, _lines: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _lines: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _columns: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _columns: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(&format!("{text}\n"));
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>");
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn bar(screen: &Screen, total_bytes: Option<u64>, packets: u64) -> Bar {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 250);
        let counts = Counts::default();
        counts.set_packets(packets);
        Bar::on(target, total_bytes, counts)
    }

    #[test]
    fn a_bar_shows_what_is_read_and_leaves_nothing() {
        let cases = [
            (Some(4 << 20), "host.pcap", "1.00 MiB of 4.00 MiB", "left"),
            (None, "host.pcap", "1.00 MiB", "/s"),
        ];
        for (total_bytes, name, bytes, words) in cases {
            let screen = Screen::default();
            let bar = bar(&screen, total_bytes, 12_345);
            bar.drawn.force_draw();
            assert!(!screen.text().contains("left"), "it cannot know: {}", screen.text());
            let mut input = bar.follow(name, io::repeat(0).take(1 << 20));
            io::copy(&mut input, &mut io::sink()).unwrap();
            bar.drawn.force_draw();
            let shown = screen.text();
            for part in [name, bytes, words, "12,345 packets"] {
                assert!(shown.contains(part), "{part} is not in {shown}");
            }
            bar.diagnose();
            bar.drawn.force_draw();
            assert!(screen.text().contains("diagnosing"), "{}", screen.text());
            let before = screen.text().len();
            drop(bar);
            let after = screen.text().split_off(before);
            assert!(after.contains("<clear>"), "{after}");
            assert!(!after.contains("packets"), "{after}");
        }
    }

    #[test]
    fn names_are_harmless_and_short() {
        let screen = Screen::default();
        let bar = bar(&screen, None, 0);
        let name = format!("\u{1b}[2J{}", "x".repeat(100));
        let _ = bar.follow(&name, io::empty());
        let shown = bar.drawn.message();
        assert_eq!(shown.chars().count(), LONGEST_NAME);
        assert!(shown.starts_with(r"\u{1b}[2Jx") && shown.ends_with('…'), "{shown}");
    }
}
