//! What people look at: line charts, for the terminal and as SVG. Knows nothing of Burn or of training.

mod line_chart;
mod svg;
mod terminal;

pub use line_chart::{LineChart, Series};
pub use svg::ChartError;
