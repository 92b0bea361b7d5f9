//! Numbers that carry a derivative: forward-mode differentiation in f64, so that the oracle's
//! gradients owe nothing to Burn's.
//!
//! Corners have torch's convention: the derivative of `max(0, x)`, `|x|` and a norm at 0 is 0, and the
//! smaller of two equal numbers has half of each.

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual {
    pub value: f64,
    pub slope: f64,
}

impl Dual {
    pub fn new(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }

    fn map(self, value: f64, derivative: f64) -> Self {
        // Nothing times infinity is nothing here: an input that does not matter has no slope.
        let slope = if self.slope == 0.0 { 0.0 } else { self.slope * derivative };
        Self { value, slope }
    }

    pub fn exp(self) -> Self {
        self.map(self.value.exp(), self.value.exp())
    }

    pub fn ln(self) -> Self {
        self.map(self.value.ln(), 1.0 / self.value)
    }

    pub fn ln_1p(self) -> Self {
        self.map(self.value.ln_1p(), 1.0 / (1.0 + self.value))
    }

    pub fn abs(self) -> Self {
        let sign = if self.value == 0.0 { 0.0 } else { self.value.signum() };
        self.map(self.value.abs(), sign)
    }

    pub fn positive_part(self) -> Self {
        if self.value > 0.0 { self } else { Self::new(0.0) }
    }

    /// `x^power` for `x >= 0`.
    pub fn power(self, power: f64) -> Self {
        if self.value == 0.0 {
            return Self::new(0.0);
        }
        self.map(self.value.powf(power), power * self.value.powf(power - 1.0))
    }

    /// `log(1 + exp(x))`.
    pub fn softplus(self) -> Self {
        if self.value > 0.0 {
            return self + (-self).exp().ln_1p();
        }
        self.exp().ln_1p()
    }

    pub fn smaller(self, other: Self) -> Self {
        if self.value == other.value {
            return (self + other) * 0.5;
        }
        if self.value < other.value { self } else { other }
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, slope: self.slope * other.value + self.value * other.slope }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slope: (self.slope - value * other.slope) / other.value }
    }
}

impl Add<f64> for Dual {
    type Output = Self;
    fn add(self, other: f64) -> Self {
        self + Self::new(other)
    }
}

impl Sub<f64> for Dual {
    type Output = Self;
    fn sub(self, other: f64) -> Self {
        self + -other
    }
}

impl Mul<f64> for Dual {
    type Output = Self;
    fn mul(self, other: f64) -> Self {
        self * Self::new(other)
    }
}

impl Sum for Dual {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::new(0.0), Add::add)
    }
}
