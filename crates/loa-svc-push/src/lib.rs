//! The push outlet: plans and delivers webhooks.
