//! What is asked of the disk is what will be written.
