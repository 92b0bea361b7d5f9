//! Configs as editors and shells write them.
