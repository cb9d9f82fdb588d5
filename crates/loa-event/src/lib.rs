//! CloudEvents 1.0 in and out: decode, encode, refuse with a reason and a position.
