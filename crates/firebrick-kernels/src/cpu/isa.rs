//! Which vector instructions the kernels use: found at run time, or forced by `FIREBRICK_ISA`.
//!
//! The kernels are written once over the `macerator` crate's vectors; this file is the only place
//! that knows the names of instruction sets.

use std::sync::OnceLock;

use macerator::{Arch, Simd, WithSimd};

use super::simd::lanes;

/// The environment variable that forces an instruction set: `avx512`, `avx2`, `neon` or `portable`.
/// A name that this machine cannot run (or does not know) is refused by
/// [`check_environment`](crate::check_environment); a program that does not ask that leaves the choice to detection.
pub const ISA_VARIABLE: &str = "FIREBRICK_ISA";

/// A family of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// 16 floats a register, fused multiply-add (x86-64-v4).
    Avx512,
    /// 8 floats a register, fused multiply-add (x86-64-v3).
    Avx2,
    /// 4 floats a register, fused multiply-add (AArch64).
    Neon,
    /// Whatever every machine of this architecture has; multiplies and adds are rounded separately,
    /// so its last bits differ from the other three, which agree with one another.
    Portable,
}

impl Isa {
    /// Every instruction set, widest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// The name that [`ISA_VARIABLE`] takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Whether this machine runs it.
    #[must_use]
    pub fn is_available(self) -> bool {
        self == Self::Portable || self.arch().is_some()
    }

    /// The instruction sets of this machine, widest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available()).collect()
    }

    /// The one in use: forced by [`ISA_VARIABLE`] if this machine has it, otherwise the widest.
    /// Read once for the life of the program.
    #[must_use]
    pub fn current() -> Self {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let forced = std::env::var(ISA_VARIABLE)
                .ok()
                .and_then(|name| Self::available().into_iter().find(|isa| isa.name() == name.trim()));
            // The portable one is the last of those that are available.
            forced.unwrap_or_else(|| Self::available()[0])
        })
    }

    /// The architecture to dispatch to, if this machine has it.
    #[cfg(target_arch = "x86_64")]
    fn arch(self) -> Option<Arch> {
        let v3 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
        // `detect` is macerator's own complete check of the level, `v3` keeps a machine that is
        // stopped at V4 from losing V3.
        match (self, Arch::detect()) {
            (Self::Avx512, found @ Arch::V4) => Some(found),
            (Self::Avx2, Arch::V4 | Arch::V3) if v3 => Some(Arch::V3),
            (Self::Portable, Arch::V4 | Arch::V3 | Arch::V2) => Some(Arch::V2),
            _ => None,
        }
    }

    /// The architecture to dispatch to, if this machine has it.
    #[cfg(target_arch = "aarch64")]
    fn arch(self) -> Option<Arch> {
        match (self, Arch::detect()) {
            (Self::Neon, Arch::Scalar) => None,
            (Self::Neon, _) => Some(Arch::NeonFma),
            _ => None,
        }
    }

    /// The architecture to dispatch to, if this machine has it.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn arch(self) -> Option<Arch> {
        None
    }

    /// Floats in a register.
    pub(crate) fn lanes(self) -> usize {
        self.run(Lanes)
    }

    /// Run `operation` compiled for this instruction set, or the portable one if this machine does
    /// not have it.
    #[inline]
    pub(crate) fn run<Op: WithSimd>(self, operation: Op) -> Op::Output {
        let arch = self.arch().or_else(|| Self::Portable.arch()).unwrap_or(Arch::Scalar);
        // SAFETY: `arch` names an instruction set only after detecting it on this machine;
        // `Scalar` needs none.
        unsafe { arch.dispatch(operation) }
    }
}

/// The register width.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        lanes::<S>()
    }
}
