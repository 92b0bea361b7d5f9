//! Curves over one axis, and how far the axes reach.

use std::ops::Range;

/// A chart of one or more curves.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// What it shows, above it.
    pub title: String,
    /// What the horizontal axis counts, with its unit.
    pub x_label: String,
    /// What the vertical axis measures, with its unit.
    pub y_label: String,
    /// The curves; more than one get a legend.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// (x, y) with x ascending; points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// The points that can be drawn.
    pub(crate) fn finite(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite())
    }
}

impl LineChart {
    /// The horizontal axis: from the first point to the last.
    pub(crate) fn x_range(&self) -> Range<f64> {
        range(self.series.iter().flat_map(Series::finite).map(|(x, _)| x))
    }

    /// The vertical axis: from the lowest point to the highest.
    pub(crate) fn y_range(&self) -> Range<f64> {
        range(self.series.iter().flat_map(Series::finite).map(|(_, y)| y))
    }
}

/// Least to greatest; a single value gets room on both sides, and nothing at all the unit interval.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let too_narrow = (high - low) <= 1e-12 * high.abs().max(low.abs());
    match (low <= high, too_narrow) {
        (false, _) => 0.0..1.0,
        (true, false) => low..high,
        (true, true) if high == 0.0 => -1.0..1.0,
        (true, true) => low - 0.5 * low.abs()..high + 0.5 * high.abs(),
    }
}
