//! The two loops every service needs: consume (bus to accept) and drive (claim, act, record).
