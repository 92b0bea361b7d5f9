//! Which form the register tiles of the widest registers take: found at run time, or forced by `FIREBRICK_TILES`.

use std::sync::OnceLock;

/// The environment variable that forces a form: `tall` or `wide`. Anything else leaves the choice to detection.
pub const TILES_VARIABLE: &str = "FIREBRICK_TILES";

/// The form of the tiles of 16 lanes. It changes no sum, only the time that they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileForm {
    /// 24 values by one register: every multiply-add broadcasts its value from memory. Fewest instructions, which counts
    /// on cores that two hardware threads share.
    Tall,
    /// 12 values by two registers: each value is broadcast once, for two multiply-adds. About half the reads, which counts
    /// where a core does as many multiply-adds a cycle as reads.
    Wide,
}

impl TileForm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tall, Self::Wide];

    /// The name that [`TILES_VARIABLE`] takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tall => "tall",
            Self::Wide => "wide",
        }
    }

    /// The one in use: forced by [`TILES_VARIABLE`], otherwise the one that was faster on such a CPU. Read once for the life
    /// of the program.
    #[must_use]
    pub fn current() -> Self {
        static CURRENT: OnceLock<TileForm> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let forced = std::env::var(TILES_VARIABLE)
                .ok()
                .and_then(|name| Self::ALL.into_iter().find(|form| form.name() == name.trim()));
            forced.unwrap_or(if is_amd() { Self::Wide } else { Self::Tall })
        })
    }

    /// Images whose values of a pixel lie side by side for a tile.
    pub(crate) const fn images(self) -> usize {
        match self {
            Self::Tall => 8,
            Self::Wide => 4,
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
