//! `[model]`.

use crate::loss::{Ending, NUM_CLASSES};
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// The networks that are drawn.
pub(crate) const MODELS: [&str; 2] = ["lenet", "sequential"];

/// The layers that are drawn.
pub(crate) const LAYERS: [&str; 24] = [
    "conv2d",
    "batch_norm2d",
    "relu",
    "relu6",
    "hardswish",
    "hardsigmoid",
    "silu",
    "gelu",
    "group_norm",
    "layer_norm",
    "local_response_norm",
    "channel_shuffle",
    "drop_path",
    "layer_scale",
    "scale",
    "zero_pad2d",
    "max_pool2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "dropout",
    "flatten",
    "linear",
    "log_softmax",
    "sigmoid",
];

/// A network, and the size of the images that it takes.
pub(crate) struct Model {
    pub table: Table,
    pub height: u64,
    pub width: u64,
    /// Path of the first layer, or block, with a convolution or a linear layer in it, if it is not the last one.
    pub first_layer: Option<String>,
    /// Path of the last layer with parameters.
    pub last_layer: String,
}

pub(crate) fn draw(random: &mut Random, what: What, ending: Ending) -> Model {
    // LeNet takes four times as long as most of the others.
    if ending == Ending::Logits && random.chance(0.05) {
        let table = Table::named("lenet").set("num_classes", NUM_CLASSES);
        let (first_layer, last_layer) = (Some("conv1".to_owned()), "fc3".to_owned());
        return Model { table, height: 32, width: 32, first_layer, last_layer };
    }
    let channels = random.pick(&[1, 1, 3]);
    let [height, width] = [random.between(6, 10), random.between(6, 10)];
    let mut network = Layers { random, what, channels, side: height.min(width), layers: Vec::new() };
    network.blocks();
    network.head(ending);
    let (first_layer, last_layer) = network.ends();
    let table = Table::named("sequential")
        .set("input_shape", list([channels, height, width]))
        .set("layers", list(network.layers));
    Model { table, height, width, first_layer, last_layer }
}

/// The layers so far, and what leaves them.
struct Layers<'a> {
    random: &'a mut Random,
    what: What,
    channels: u64,
    /// The shorter one of height and width.
    side: u64,
    layers: Vec<Table>,
}

impl Layers<'_> {
    /// Zero to three blocks of layers on images.
    fn blocks(&mut self) {
        let num_blocks = self.random.pick(&[0, 1, 1, 2, 3]);
        for _ in 0..num_blocks {
            match self.random.between(0, 5) {
                0 => self.residual(),
                1 => self.concat(),
                2 => self.gate(),
                _ => self.convolution(),
            }
            self.between_blocks();
            self.pool();
            self.dropout();
        }
    }

    /// Now and then a layer that keeps the channels.
    fn between_blocks(&mut self) {
        if !self.what.is_free() || self.random.chance(0.7) {
            return;
        }
        let layer = match self.random.between(0, 7) {
            0 => Table::named("group_norm").set("num_groups", self.random.pick(&[1, self.channels])),
            1 => Table::named("layer_norm"),
            2 => Table::named("local_response_norm").set("size", 3),
            3 => Table::named("channel_shuffle").set("groups", self.random.pick(&[1, self.channels])),
            4 => Table::named("drop_path").float("p", 0.2),
            6 => Table::named("scale").float("factor", 0.5),
            5 => Table::named("layer_scale").float("init_value", 0.5),
            _ => {
                self.side += 1;
                Table::named("zero_pad2d").set("padding", list([1, 0, 0, 1]))
            }
        };
        self.layers.push(layer);
    }

    /// ReLU in most cases; PyTorch's side of a draw knows no other.
    fn activation(&mut self) -> Table {
        let is_other = self.what.is_free() && self.random.chance(0.3);
        let others = ["relu6", "hardswish", "hardsigmoid", "silu", "gelu"];
        Table::named(if is_other { self.random.pick(&others) } else { "relu" })
    }

    fn convolution(&mut self) {
        let kernel = self.random.pick(&[1, 3, 3]);
        let padding = if self.side > 3 { self.random.between(0, kernel / 2) } else { kernel / 2 };
        let stride = if self.side > 5 { self.random.pick(&[1, 1, 2]) } else { 1 };
        let out_channels = self.random.pick(&[2, 4, 6, 8]);
        let layer = conv2d(out_channels, kernel, padding)
            .set("stride", stride)
            .set("bias", self.random.chance(0.7))
            .set("groups", if self.channels.is_multiple_of(2) { self.random.pick(&[1, 1, 2]) } else { 1 });
        self.layers.push(layer);
        self.side = (self.side + 2 * padding - kernel) / stride + 1;
        self.channels = out_channels;
        if self.random.chance(0.5) {
            let layer = self.batch_norm();
            self.layers.push(layer);
        }
        if self.random.chance(0.8) {
            let layer = self.activation();
            self.layers.push(layer);
        }
    }

    fn batch_norm(&mut self) -> Table {
        let momentum = self.random.pick(&[0.1, 0.1, 0.3, 1.0]);
        Table::named("batch_norm2d").float("momentum", momentum).set("affine", self.random.chance(0.8))
    }

    /// Two convolutions beside the way around them.
    fn residual(&mut self) {
        let out_channels = self.random.pick(&[self.channels, self.channels, 4]);
        let body = [
            conv2d(out_channels, 3, 1),
            self.batch_norm(),
            Table::named("relu"),
            conv2d(out_channels, 3, 1),
            self.batch_norm(),
        ];
        let mut block = self.block("residual").set("body", list(body));
        if out_channels != self.channels {
            block = block.set("shortcut", list([conv2d(out_channels, 1, 0).text("as", "shortcut")]));
        }
        if self.random.chance(0.8) {
            block = block.set("after", list([Table::named("relu")]));
        }
        self.layers.push(block);
        self.channels = out_channels;
    }

    /// Two branches, whose channels stand one behind the other.
    fn concat(&mut self) {
        let (left, right) = (conv2d(2, 1, 0).text("as", "left"), conv2d(3, 3, 1).text("as", "right"));
        let block =
            self.block("concat").set("branches", list([list([left]), list([right, Table::named("relu")])]));
        self.layers.push(block);
        self.channels = 5;
    }

    /// Channels times numbers from 0 to 1 that follow from their averages.
    fn gate(&mut self) {
        let body = [
            Table::named("adaptive_avg_pool2d").set("output_size", 1),
            conv2d(2, 1, 0),
            Table::named("relu"),
            conv2d(self.channels, 1, 0),
            Table::named("sigmoid"),
        ];
        let block = self.block("gate").set("body", list(body));
        self.layers.push(block);
    }

    /// A block with a name of its own, as parameters need paths that no others have.
    fn block(&self, name: &str) -> Table {
        Table::named(name).text("as", &format!("block{}", self.layers.len()))
    }

    fn pool(&mut self) {
        if self.side < 4 || self.random.chance(0.5) {
            return;
        }
        let pool = Table::named(self.random.pick(&["max_pool2d", "avg_pool2d"]));
        let overlaps = self.random.chance(0.3);
        let pool = match overlaps {
            true => pool.set("kernel_size", 3).set("stride", 2).set("padding", 1),
            false => pool.set("kernel_size", 2),
        };
        self.layers.push(pool);
        self.side = if overlaps { (self.side - 1) / 2 + 1 } else { self.side / 2 };
    }

    fn dropout(&mut self) {
        if self.what.is_free() && self.random.chance(0.25) {
            let p = self.random.pick(&[0.1, 0.3, 0.5]);
            self.layers.push(Table::named("dropout").float("p", p));
        }
    }

    /// Paths of the first and of the last layer with a weight; the first only if it is another one.
    fn ends(&self) -> (Option<String>, String) {
        let has_weight = |layer: &Table| {
            let kinds = ["conv2d", "linear", "residual", "concat", "gate"];
            kinds.iter().any(|kind| layer.is_named(kind))
        };
        let path = |position: usize| match &self.layers[position] {
            layer if layer.is_named("conv2d") || layer.is_named("linear") => position.to_string(),
            _ => format!("block{position}"),
        };
        let mut with_weight = (0..self.layers.len()).filter(|position| has_weight(&self.layers[*position]));
        let first = with_weight.next().map_or_else(String::new, path);
        match with_weight.next_back() {
            Some(last) => (Some(first), path(last)),
            None => (None, first),
        }
    }

    /// From images to one number for each class.
    fn head(&mut self, ending: Ending) {
        if self.random.chance(0.2) {
            self.layers.push(Table::named("adaptive_avg_pool2d").set("output_size", 1));
        }
        self.layers.push(Table::named("flatten"));
        if self.random.chance(0.3) {
            let out_features = self.random.pick(&[8, 16]);
            self.layers.push(Table::named("linear").set("out_features", out_features));
            self.layers.push(Table::named("relu"));
        }
        self.dropout();
        self.layers.push(Table::named("linear").set("out_features", NUM_CLASSES));
        match ending {
            Ending::Logits => {}
            Ending::Sigmoid => self.layers.push(Table::named("sigmoid")),
            Ending::LogSoftmax => self.layers.push(Table::named("log_softmax")),
        }
    }
}

fn conv2d(out_channels: u64, kernel_size: u64, padding: u64) -> Table {
    Table::named("conv2d")
        .set("out_channels", out_channels)
        .set("kernel_size", kernel_size)
        .set("padding", padding)
}
