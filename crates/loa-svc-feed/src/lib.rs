//! The feed outlet: keeps and serves feeds.
