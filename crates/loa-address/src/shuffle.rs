//! The order in which servers of a list are tried: a random one, so that many processes spread over
//! them. Randomness is handed in.

/// Puts a list into a random order (Fisher and Yates). `random` fills a buffer with random bytes. Lists are short: the
/// slight preference that a remainder has does not matter.
pub fn shuffle<T>(list: &mut [T], random: &dyn Fn(&mut [u8])) {
    for last in (1..list.len()).rev() {
        let mut bytes = [0; 8];
        random(&mut bytes);
        let chosen = u64::from_le_bytes(bytes) % (last as u64 + 1);
        list.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_may_come_first_and_nothing_is_lost() {
        let mut firsts = [false; 4];
        for seed in 0..64_u8 {
            let mut list = [0, 1, 2, 3];
            shuffle(&mut list, &|bytes| bytes.fill(seed));
            firsts[list[0]] = true;
            list.sort_unstable();
            assert_eq!(list, [0, 1, 2, 3]);
        }
        assert_eq!(firsts, [true; 4]);
    }
}
