//! The real clock and the real dice: the only place that reads either.

use loa_worker::World;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;

/// The world as it is.
pub fn real() -> World {
    let dice = SystemRandom::new();
    World {
        clock: Arc::new(jiff::Timestamp::now),
        random: Arc::new(move |buffer| {
            if dice.fill(buffer).is_err() {
                // getrandom(2) does not fail on a running Linux; going on with predictable tokens would be worse than ending
                eprintln!("loa: the system gives no random numbers");
                std::process::abort();
            }
        }),
    }
}
