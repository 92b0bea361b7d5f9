//! A layer and its arguments, and how PyTorch writes them.

use std::fmt;

use serde::Serialize;

/// A layer and its arguments; `Display` is PyTorch's `repr` of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "layer")]
pub enum LayerKind {
    /// `nn.Conv2d`.
    Conv2d {
        /// Channels of the input.
        in_channels: usize,
        /// Channels of the output.
        out_channels: usize,
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros added on both sides of height and width.
        padding: [usize; 2],
        /// Steps between the elements of a window.
        dilation: [usize; 2],
        /// Blocks of channels that do not see each other.
        groups: usize,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `nn.MaxPool2d`.
    MaxPool2d {
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Minus infinities added on both sides of height and width.
        padding: [usize; 2],
        /// Steps between the elements of a window.
        dilation: [usize; 2],
        /// Whether a window that does not fit whole counts.
        ceil_mode: bool,
    },
    /// `nn.AvgPool2d`.
    AvgPool2d {
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros added on both sides of height and width.
        padding: [usize; 2],
    },
    /// `nn.AdaptiveAvgPool2d`.
    AdaptiveAvgPool2d {
        /// Height and width of the output.
        output_size: [usize; 2],
    },
    /// `nn.BatchNorm2d`.
    BatchNorm2d {
        /// Number of channels.
        num_features: usize,
        /// Added to the variance.
        eps: f64,
        /// Share of a batch in the running statistics.
        momentum: f64,
        /// Whether there is a weight.
        affine: bool,
        /// Whether there is a bias.
        bias: bool,
    },
    /// `nn.Dropout`.
    Dropout {
        /// Probability that an element becomes zero in training.
        p: f64,
    },
    /// `nn.ReLU`.
    ReLU,
    /// `nn.Flatten` of everything but the batch.
    Flatten,
    /// `nn.Linear`.
    Linear {
        /// Length of the input.
        in_features: usize,
        /// Length of the output.
        out_features: usize,
        /// Whether there is a bias.
        bias: bool,
    },
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv2d { .. } => self.fmt_conv2d(f),
            Self::MaxPool2d { kernel_size, stride, padding, dilation, ceil_mode } => write!(
                f,
                "MaxPool2d(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={})",
                int_or_pair(*kernel_size),
                int_or_pair(*stride),
                int_or_pair(*padding),
                int_or_pair(*dilation),
                python_bool(*ceil_mode),
            ),
            Self::AvgPool2d { kernel_size, stride, padding } => write!(
                f,
                "AvgPool2d(kernel_size={}, stride={}, padding={})",
                int_or_pair(*kernel_size),
                int_or_pair(*stride),
                int_or_pair(*padding),
            ),
            Self::AdaptiveAvgPool2d { output_size } => {
                write!(f, "AdaptiveAvgPool2d(output_size={})", int_or_pair(*output_size))
            }
            Self::BatchNorm2d { num_features, eps, momentum, affine, bias } => write!(
                f,
                "BatchNorm2d({num_features}, eps={}, momentum={}, affine={}, bias={}, track_running_stats=True)",
                python_float(*eps),
                python_float(*momentum),
                python_bool(*affine),
                python_bool(*bias),
            ),
            Self::Dropout { p } => write!(f, "Dropout(p={}, inplace=False)", python_float(*p)),
            Self::ReLU => f.write_str("ReLU()"),
            Self::Flatten => f.write_str("Flatten(start_dim=1, end_dim=-1)"),
            Self::Linear { in_features, out_features, bias } => write!(
                f,
                "Linear(in_features={in_features}, out_features={out_features}, bias={})",
                python_bool(*bias)
            ),
        }
    }
}

impl LayerKind {
    /// torch leaves out padding, dilation, groups and bias where they have their default.
    fn fmt_conv2d(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Conv2d { in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias } =
            self
        else {
            return Ok(());
        };
        write!(f, "Conv2d({in_channels}, {out_channels}")?;
        write!(f, ", kernel_size={}", pair(*kernel_size))?;
        write!(f, ", stride={}", pair(*stride))?;
        if *padding != [0, 0] {
            write!(f, ", padding={}", pair(*padding))?;
        }
        if *dilation != [1, 1] {
            write!(f, ", dilation={}", pair(*dilation))?;
        }
        if *groups != 1 {
            write!(f, ", groups={groups}")?;
        }
        if !bias {
            write!(f, ", bias=False")?;
        }
        f.write_str(")")
    }
}

fn pair([height, width]: [usize; 2]) -> String {
    format!("({height}, {width})")
}

/// A pool is given one number for both sides, and torch prints it as it was given.
fn int_or_pair([height, width]: [usize; 2]) -> String {
    if height == width { height.to_string() } else { pair([height, width]) }
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Python's `repr`: as Rust's, but for the exponent's sign and second digit.
fn python_float(value: f64) -> String {
    let text = format!("{value:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}
