//! The system suite lives in this folder; see `tests/run`. Other crates have nothing to use here.
