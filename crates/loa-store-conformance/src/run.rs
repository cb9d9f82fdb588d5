//! One rule, or one case of a property, from its begin to its end on a runtime of its own. It knows no rule.

/// Runs a rule, or a case of a property, to its end.
pub fn run<T>(case: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(case)
}
