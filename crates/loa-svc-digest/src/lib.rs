//! The digest outlet: collect, match, run, compose, send; subscribe and unsubscribe pages.
