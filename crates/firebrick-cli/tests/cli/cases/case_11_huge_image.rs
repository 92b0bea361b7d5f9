//! Images that claim or have more pixels than memory should be given for.
