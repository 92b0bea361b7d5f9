//! Charts as people see them.
#![allow(clippy::unwrap_used, missing_docs)]

use firebrick_report::{LineChart, Series};

fn chart(points: Vec<(f64, f64)>) -> LineChart {
    let series = vec![Series { name: "rate".into(), points }];
    LineChart { title: "t < 1 & up".into(), x_label: "step".into(), y_label: "lr".into(), series }
}

#[test]
fn text_shows_steps_slopes_and_both_ends() {
    let stairs = (0..40).map(|x| (f64::from(x), if x < 20 { 0.1 } else { 0.005 * f64::from(x - 20) }));
    insta::assert_snapshot!(chart(stairs.collect()).to_text(40, 5), @r"
         lr
     0.1 ┤────────────────────╮                 ╭─
         ┤                    │            ╭────╯
    0.05 ┤                    │       ╭────╯
         ┤                    │  ╭────╯
       0 ┤                    ╰──╯
         └────────────────────────────────────────
         0                 step                 39
    ");
}

#[test]
fn a_constant_stands_in_the_middle() {
    insta::assert_snapshot!(chart(vec![(0.0, 0.1), (9.0, 0.1)]).to_text(20, 5), @r"
         lr
    0.15 ┤
         ┤
     0.1 ┤────────────────────
         ┤
    0.05 ┤
         └────────────────────
         0       step        9
    ");
}

#[test]
fn charts_without_points_or_with_points_that_are_no_numbers_are_drawn_all_the_same() {
    for points in
        [vec![], vec![(0.0, 0.0)], vec![(0.0, f64::NAN), (1.0, f64::INFINITY)], vec![(3.0, -1e-300)]]
    {
        let chart = chart(points);
        assert_eq!(chart.to_text(10, 3).lines().count(), 6);
        assert!(chart.to_svg().unwrap().ends_with("</svg>\n"));
    }
}

#[test]
fn svg_holds_every_curve_with_its_name_and_escapes_text() {
    let mut chart = chart(vec![(0.0, 1.0), (1.0, 2.0)]);
    chart.series.push(Series { name: "other".into(), points: vec![(0.0, 2.0), (1.0, 1.0)] });
    let svg = chart.to_svg().unwrap();
    assert!(svg.contains("t &lt; 1 &amp; up") && svg.contains("other") && svg.contains("lr"), "{svg}");
    for colour in ["#0072B2", "#E69F00"] {
        assert!(svg.contains(colour), "{colour}: {svg}");
    }
    assert_eq!(svg, chart.to_svg().unwrap(), "the same chart is the same file");
}
