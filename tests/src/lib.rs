//! The system suite lives in this folder; see `tests/run`.
