//! The weights of one panel, as kernels read them.
//!
//! Whoever reads them gets them in fp32.

use half::f16;

use super::Weight;
#[cfg(target_arch = "aarch64")]
use super::arm64::Load;
#[cfg(target_arch = "x86_64")]
use super::x86::Load;

/// Without vector instructions of our own there is nothing to load.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
pub trait Load {}

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
impl<P> Load for P {}

/// The weights of a panel.
pub trait Panel: Load {
    /// How many there are.
    fn len(&self) -> usize;

    /// Those from `start` on.
    fn read<const COUNT: usize>(&mut self, start: usize) -> [f32; COUNT];
}

/// Weights that are only read.
pub struct Stored<'a, W>(pub &'a [W]);

/// Halves that are also kept in fp32, as they are read.
pub struct Widening<'a> {
    pub(super) halves: &'a [f16],
    pub(super) floats: &'a mut [f32],
}

impl<'a> Widening<'a> {
    /// # Panics
    /// If there are not as many `floats` as `halves`.
    pub fn new(halves: &'a [f16], floats: &'a mut [f32]) -> Self {
        assert_eq!(halves.len(), floats.len());
        Self { halves, floats }
    }
}

impl<W: Weight> Panel for Stored<'_, W>
where
    Self: Load,
{
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn read<const COUNT: usize>(&mut self, start: usize) -> [f32; COUNT] {
        let mut floats = [0.0; COUNT];
        for (float, weight) in floats.iter_mut().zip(&self.0[start..][..COUNT]) {
            *float = weight.widen();
        }
        floats
    }
}

impl Panel for Widening<'_> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.halves.len()
    }

    #[inline(always)]
    fn read<const COUNT: usize>(&mut self, start: usize) -> [f32; COUNT] {
        let floats = Stored(self.halves).read(start);
        self.floats[start..][..COUNT].copy_from_slice(&floats);
        floats
    }
}
