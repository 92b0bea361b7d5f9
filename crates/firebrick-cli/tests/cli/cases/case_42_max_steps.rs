//! A stop by `max_steps` changes nothing but the end.
