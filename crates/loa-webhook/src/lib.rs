//! A delivery into a signed request (Standard Webhooks), and an answer into an outcome.
