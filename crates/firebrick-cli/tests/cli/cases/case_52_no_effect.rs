//! What has no effect is refused.
