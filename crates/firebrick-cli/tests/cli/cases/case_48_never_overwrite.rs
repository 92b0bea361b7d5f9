//! No command writes over a file that it was not told to replace.
