//! Shapes that cannot be computed are refused with a message that helps.

use firebrick_kernels::cpu::{ConvShape, Engine, FusedActivation, PoolShape, ShapeError, WeightOrder};

fn shape() -> ConvShape {
    ConvShape {
        batch: 1,
        in_channels: 4,
        out_channels: 6,
        input: [5, 5],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        extra_padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
        order: WeightOrder::OutIn,
    }
}

#[test]
fn bad_shapes_are_refused() {
    assert_eq!(shape().validate(), Ok(()));
    let zero = ConvShape { stride: [0, 1], ..shape() };
    assert_eq!(zero.validate(), Err(ShapeError::Zero { what: "vertical stride" }));
    let ordered = ConvShape { groups: 2, order: WeightOrder::InOut, ..shape() };
    assert_eq!(ordered.validate(), Err(ShapeError::GroupsOfOrder { groups: 2 }));
    let groups = ConvShape { groups: 4, ..shape() };
    assert_eq!(groups.validate(), Err(ShapeError::Groups { what: "out_channels", channels: 6, groups: 4 }));
    let kernel = ConvShape { kernel: [3, 9], ..shape() };
    assert_eq!(
        kernel.validate(),
        Err(ShapeError::KernelTooLarge { axis: "horizontal", kernel: 9, input: 7 })
    );
    for huge in [usize::MAX, usize::MAX / 2, 1 << 60] {
        for bad in [
            ConvShape { batch: huge, ..shape() },
            ConvShape { padding: [huge, 0], ..shape() },
            ConvShape { dilation: [1, huge], ..shape() },
            ConvShape { in_channels: huge & !1, out_channels: huge & !1, groups: 2, ..shape() },
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}

#[test]
fn slices_of_the_wrong_length_are_refused() {
    let (shape, engine) = (shape(), Engine::current());
    let (input, weight) = (vec![0.0; shape.input_len()], vec![0.0; shape.weight_len()]);
    let short = engine.forward(&shape, &input[1..], &weight, None, FusedActivation::None);
    assert_eq!(short, Err(ShapeError::Length { what: "the input", expected: 100, got: 99 }));
    let bias = engine.forward(&shape, &input, &weight, Some(&[0.0; 5]), FusedActivation::None);
    assert_eq!(bias.unwrap_err().to_string(), "the bias has 5 values, the shape needs 6");
}

#[test]
fn too_much_padding_for_a_pool_is_refused() {
    let shape = PoolShape {
        batch: 1,
        channels: 1,
        input: [4, 4],
        kernel: [2, 2],
        stride: [2, 2],
        padding: [2, 0],
        dilation: [1, 1],
    };
    assert_eq!(shape.validate(), Err(ShapeError::PoolPadding { padding: 2, kernel: 2 }));
}
