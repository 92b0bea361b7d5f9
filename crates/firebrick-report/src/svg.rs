//! A chart as SVG: white ground, one colour a curve, readable without any script or font file.

use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, ChartBuilder, DrawingArea, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend,
    SeriesLabelPosition, WHITE,
};
use plotters::style::Color;
use thiserror::Error;

use crate::line_chart::LineChart;

/// Width and height in pixels.
const SIZE: (u32, u32) = (960, 480);

/// Neighbours on an axis are round numbers that may differ in the last of these.
const DIGITS: i32 = 5;

/// Okabe and Ito's colours, which stay different for eyes that do not tell red from green.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// A chart that could not be drawn.
#[derive(Debug, Error)]
#[error("chart `{title}`: cannot be drawn: {reason}")]
pub struct ChartError {
    /// Which chart.
    pub title: String,
    /// What the drawing library said.
    pub reason: String,
}

impl LineChart {
    /// The chart as an SVG document.
    ///
    /// # Errors
    ///
    /// [`ChartError`] when the drawing library refuses.
    pub fn to_svg(&self) -> Result<String, ChartError> {
        let mut document = String::new();
        let area = SVGBackend::with_string(&mut document, SIZE).into_drawing_area();
        self.draw(&area)
            .map_err(|error| ChartError { title: self.title.clone(), reason: error.to_string() })?;
        drop(area);
        Ok(document)
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let y_range = self.y_range();
        let room = 0.04 * (y_range.end - y_range.start);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 20))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(self.x_range(), y_range.start - room..y_range.end + room)?;
        chart
            .configure_mesh()
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .x_label_formatter(&|x| short(*x, DIGITS))
            .y_label_formatter(&|y| short(*y, DIGITS))
            .label_style(("sans-serif", 14))
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let stroke = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(series.finite(), stroke))?
                .label(&series.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], stroke));
        }
        if self.series.len() > 1 {
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .label_font(("sans-serif", 14))
                .background_style(WHITE)
                .border_style(BLACK.mix(0.3))
                .draw()?;
        }
        area.present()?;
        Ok(())
    }
}

/// A number on an axis, with so many digits that count.
pub(crate) fn short(value: f64, digits: i32) -> String {
    // What is left of a difference of two decimal fractions is no number to print.
    let value = if value.abs() < 1e-12 { 0.0 } else { value };
    if value != 0.0 && (value.abs() < 1e-4 || value.abs() >= 1e6) {
        return format!("{value:.2e}");
    }
    let in_front = if value == 0.0 { digits } else { value.abs().log10().floor() as i32 + 1 };
    let text = format!("{value:.*}", (digits - in_front).clamp(0, 8) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
