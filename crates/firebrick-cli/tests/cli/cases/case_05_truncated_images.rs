//! Images that a download or a crash has cut.
