//! What operators see, and the public front page.
