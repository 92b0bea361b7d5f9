//! A chart as text: the first curve in box-drawing characters, its axes labelled.

use crate::line_chart::{LineChart, Series};
use crate::svg::short;

/// Of a vertical label that count: a row is no finer than that.
const DIGITS: i32 = 3;

impl LineChart {
    /// The first curve on `width` columns and `height` rows, without the axes and their labels. At
    /// each column stands the curve's last point that is not to the right of it.
    pub fn to_text(&self, width: usize, height: usize) -> String {
        let (width, height) = (width.max(2), height.max(2));
        let levels = self.series.first().map_or_else(Vec::new, |series| self.levels(series, width, height));
        let (x, y) = (self.x_range(), self.y_range());
        let labels = [y.end, (y.start + y.end) / 2.0, y.start].map(|value| short(value, DIGITS));
        let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let mut lines = vec![format!("{:margin$} {}", "", self.y_label)];
        for row in (0..height).rev() {
            let label = match row {
                0 => &labels[2],
                _ if row == height - 1 => &labels[0],
                _ if row == (height - 1) / 2 && height % 2 == 1 => &labels[1],
                _ => "",
            };
            let cells: String = (0..width).map(|column| cell(&levels, column, row)).collect();
            lines.push(format!("{label:>margin$} ┤{cells}").trim_end().to_owned());
        }
        lines.push(format!("{:margin$} └{}", "", "─".repeat(width)));
        let (first, last) = (short(x.start, 9), short(x.end, 9));
        let between = (width + 1).saturating_sub(first.len() + last.len());
        let label: String = self.x_label.chars().take(between.saturating_sub(2)).collect();
        lines.push(format!("{:margin$} {first}{label:^between$}{last}", ""));
        lines.join("\n")
    }

    /// The row of each column, counted from below.
    fn levels(&self, series: &Series, width: usize, height: usize) -> Vec<usize> {
        let points: Vec<(f64, f64)> = series.finite().collect();
        let (x, y) = (self.x_range(), self.y_range());
        let level = |value: f64| (value - y.start) / (y.end - y.start) * (height - 1) as f64;
        let at = |column: usize| x.start + (x.end - x.start) * column as f64 / (width - 1) as f64;
        let known = |column: usize| {
            // A hair to the right, so that rounding does not lose the point that stands there.
            let limit = at(column) + 1e-9 * (x.end - x.start);
            points.partition_point(|(x, _)| *x <= limit).checked_sub(1).map(|index| points[index].1)
        };
        (0..width).filter_map(known).map(|value| level(value).round() as usize).collect()
    }
}

/// What stands at a place: the curve goes along its row, and up or down where the next column differs.
fn cell(levels: &[usize], column: usize, row: usize) -> char {
    let Some(&here) = levels.get(column) else { return ' ' };
    let before = if column == 0 { here } else { levels[column - 1] };
    let (low, high) = (here.min(before), here.max(before));
    if row < low || row > high {
        ' '
    } else if low == high {
        '─'
    } else if row > low && row < high {
        '│'
    } else {
        match (row == here, here > before) {
            (true, true) => '╭',
            (true, false) => '╰',
            (false, true) => '╯',
            (false, false) => '╮',
        }
    }
}
