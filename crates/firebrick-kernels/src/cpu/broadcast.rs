//! How a microkernel brings the values that it broadcasts to the registers, which decides the form of AVX-512's register
//! tiles: found at run time, or forced by `FIREBRICK_TILES`.

use std::sync::OnceLock;

/// The environment variable that forces one: `embedded` or `explicit` (`tall` and `wide` in older versions, which still
/// count). Anything else is refused by [`check_environment`](crate::check_environment); a program that does not ask that leaves
/// the choice to detection.
pub const TILES_VARIABLE: &str = "FIREBRICK_TILES";

/// How values are broadcast in register tiles of 16 lanes (oneDNN's terms). It changes no sum, only the time that they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broadcast {
    /// Tiles of 24 values by one register: every multiply-add broadcasts its value from memory, as an operand. Fewest
    /// instructions, which counts on cores that two hardware threads share.
    Embedded,
    /// Tiles of 12 values by two registers: each value is broadcast once to a register, for two multiply-adds. About half the
    /// reads, which counts where a core does as many multiply-adds a cycle as reads.
    Explicit,
}

impl Broadcast {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Embedded, Self::Explicit];

    /// The name that [`TILES_VARIABLE`] takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Explicit => "explicit",
        }
    }

    /// The one of this name, or of the name that it had in older versions.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "embedded" | "tall" => Some(Self::Embedded),
            "explicit" | "wide" => Some(Self::Explicit),
            _ => None,
        }
    }

    /// The one in use: forced by [`TILES_VARIABLE`], otherwise the one that was faster on such a CPU. Read once for the life
    /// of the program.
    #[must_use]
    pub fn current() -> Self {
        static CURRENT: OnceLock<Broadcast> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let forced = std::env::var(TILES_VARIABLE).ok().and_then(|name| Self::from_name(name.trim()));
            forced.unwrap_or(if is_amd() { Self::Explicit } else { Self::Embedded })
        })
    }

    /// Images of a block of the batch whose values of one pixel lie side by side for a tile.
    pub(crate) const fn batch_block(self) -> usize {
        match self {
            Self::Embedded => 8,
            Self::Explicit => 4,
        }
    }
}

/// Whether the CPU says that it is AMD's.
#[cfg(target_arch = "x86_64")]
fn is_amd() -> bool {
    let vendor = std::arch::x86_64::__cpuid(0);
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD"
}

/// Whether the CPU says that it is AMD's.
#[cfg(not(target_arch = "x86_64"))]
fn is_amd() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_old_and_new_are_understood() {
        for broadcast in Broadcast::ALL {
            assert_eq!(Broadcast::from_name(broadcast.name()), Some(broadcast));
        }
        assert_eq!(Broadcast::from_name("tall"), Some(Broadcast::Embedded));
        assert_eq!(Broadcast::from_name("wide"), Some(Broadcast::Explicit));
        assert_eq!(Broadcast::from_name("square"), None);
    }
}
