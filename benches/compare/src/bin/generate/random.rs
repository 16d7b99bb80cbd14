//! Numbers that look random and depend on nothing but what they are for.

/// The finaliser of MurmurHash3 over three numbers: the same for the same.
pub fn draw(seed: u64, number: u64, purpose: u64) -> u64 {
    let mut state = seed
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(number)
        .wrapping_mul(0xff51_afd7_ed55_8ccd)
        .wrapping_add(purpose);
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        state ^= state >> 33;
        state = state.wrapping_mul(factor);
    }
    state ^ (state >> 33)
}

/// One of the numbers below `bound`, which is not zero.
pub fn draw_below(seed: u64, number: u64, purpose: u64, bound: u64) -> u64 {
    draw(seed, number, purpose) % bound
}
