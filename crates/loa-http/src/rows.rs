//! How many rows a list is answered with.

/// Rows answered unless the query says otherwise.
const ROWS: u32 = 100;
/// Rows in one answer, at most.
pub const ROWS_MAX: u32 = 1_000;

/// The rows to answer for `?limit=`: 1 to [`ROWS_MAX`]; 100 when nothing is said.
pub fn rows(limit: Option<u32>) -> u32 {
    limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_hundred_rows_unless_fewer_or_more_are_asked_for_within_bounds() {
        assert_eq!([None, Some(0), Some(7), Some(9_999)].map(rows), [100, 1, 7, 1_000]);
    }
}
