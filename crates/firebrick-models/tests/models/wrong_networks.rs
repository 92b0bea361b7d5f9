//! Networks that do not fit together: the path of the wrong key, what was expected, what came.

use firebrick_component::{ReadError, read};
use firebrick_models::ModelConfig;

/// The error for a `[model]` of these lines, for images of 3x8x8 unless they say otherwise.
fn refused(model: &str) -> ReadError {
    let text = match model.contains("input_shape") {
        true => format!("name = 'sequential'\n{model}"),
        false => format!("name = 'sequential'\ninput_shape = [3, 8, 8]\n{model}"),
    };
    let value = text.parse::<toml::Table>().unwrap_or_else(|error| panic!("{error}: {text}"));
    match read::<ModelConfig>(value.into()) {
        Ok(config) => panic!("accepted: {config:?}"),
        Err(error) => error,
    }
}

/// The last layer of all.
const HEAD: &str = "{ name = 'linear', as = 'head', out_features = 10 }";

/// A block `b` with the arguments `channels = 4` and `kernel = 3`.
const BLOCK: &str = "[blocks.b]
arguments = { channels = 4, kernel = 3 }
layers = [{ name = 'conv2d', out_channels = '$channels', kernel_size = '$kernel' }, 'relu']
";

/// Says everything that differs at once.
fn check_all(cases: impl IntoIterator<Item = (String, String, String)>) {
    let differs = |(model, path, says): (String, String, String)| {
        let error = refused(&model);
        let is_as_expected = error.path == path && error.message.contains(&says);
        (!is_as_expected).then(|| {
            format!("{model}\nexpected {path}: {says}\ngot      {}: {}\n", error.path, error.message)
        })
    };
    let differences: Vec<String> = cases.into_iter().filter_map(differs).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Layers in a list, all at the top.
#[test]
fn a_layer_that_is_wrong_is_named_by_its_position() {
    let cases = [
        (
            "{ name = 'linear', out_features = 10 }",
            "[0]",
            "expected features (put a `flatten` before this), got an image of 3x8x8",
        ),
        (
            "'flatten', { name = 'conv2d', out_channels = 4, kernel_size = 3 }",
            "[1]",
            "expected an image (put this before `flatten`), got 192 features",
        ),
        (
            "'flatten', 'batch_norm2d'",
            "[1]",
            "expected an image (put this before `flatten`), got 192 features",
        ),
        ("'flatten', { name = 'max_pool2d', kernel_size = 2 }", "[1]", "expected an image"),
        ("'flatten', { name = 'avg_pool2d', kernel_size = 2 }", "[1]", "expected an image"),
        ("'flatten', { name = 'adaptive_avg_pool2d', output_size = 1 }", "[1]", "expected an image"),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 9 }",
            "[0].kernel_size",
            "expected at most 8x8, which is an image of 3x8x8 with its padding, got 9x9",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = [3, 11], padding = 1 }",
            "[0].kernel_size",
            "expected at most 10x10, which is an image of 3x8x8 with its padding, got 3x11",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, dilation = 4 }",
            "[0].kernel_size",
            "got 9x9 with its dilation",
        ),
        (
            "{ name = 'max_pool2d', kernel_size = 4 }, { name = 'max_pool2d', kernel_size = 4 }",
            "[1].kernel_size",
            "expected at most 2x2, which is an image of 3x2x2 with its padding, got 4x4",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, groups = 2 }",
            "[0].groups",
            "expected a divisor of the 3 channels that come in, got 2",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, groups = 3 }",
            "[0].groups",
            "expected a divisor of out_channels = 4, got 3",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, groups = 0 }",
            "[0].groups",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 0, kernel_size = 3 }",
            "[0].out_channels",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 0 }",
            "[0].kernel_size",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, stride = [1, 0] }",
            "[0].stride",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, dilation = 0 }",
            "[0].dilation",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, padding = 1099511627776 }",
            "[0].padding",
            "expected a whole number from 0 to 65536, got 1099511627776",
        ),
        (
            "{ name = 'conv2d', out_channels = 4, kernel_size = 3, padding = 65536 }",
            "[0]",
            "expected 1 to 268435456 numbers for each image behind it, got an image of 4x131078x131078",
        ),
        (
            "{ name = 'max_pool2d', kernel_size = 2, padding = 2 }",
            "[0].padding",
            "expected at most 1x1, half of kernel_size, got 2x2",
        ),
        (
            "{ name = 'avg_pool2d', kernel_size = 2, stride = 0 }",
            "[0].stride",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "{ name = 'adaptive_avg_pool2d', output_size = [7, 0] }",
            "[0].output_size",
            "expected a whole number from 1 to 65536, got 0",
        ),
        (
            "'flatten', { name = 'linear', out_features = 10, per_pixel = true }",
            "[1]",
            "expected an image (put this before `flatten`), got 192 features",
        ),
        (
            "{ name = 'group_norm', num_groups = 2 }",
            "[0].num_groups",
            "expected a divisor of the 3 channels that come in, got 2",
        ),
        (
            "{ name = 'channel_shuffle', groups = 2 }",
            "[0].groups",
            "expected a divisor of the 3 channels that come in, got 2",
        ),
        ("{ name = 'drop_path', p = 1.0 }", "[0].p", "expected 0 <= value < 1, got 1"),
        ("{ name = 'layer_norm', eps = 0.0 }", "[0].eps", "expected a finite number > 0, got 0"),
        (
            "{ name = 'local_response_norm', size = 0 }",
            "[0].size",
            "expected a whole number from 1 to 65536, got 0",
        ),
        ("{ name = 'batch_norm2d', eps = 0.0 }", "[0].eps", "expected a finite number > 0, got 0"),
        (
            "{ name = 'batch_norm2d', momentum = 1.5 }",
            "[0].momentum",
            "expected a number from 0 to 1, got 1.5",
        ),
        ("{ name = 'dropout', p = 1.0 }", "[0].p", "expected 0 <= value < 1, got 1"),
        ("{ name = 'dropout', p = nan }", "[0].p", "expected 0 <= value < 1, got NaN"),
        (
            "'flatten', { name = 'linear', out_features = 0 }",
            "[1].out_features",
            "expected a whole number from 1 to 100000, got 0",
        ),
        (
            "{ name = 'conv2d', out_channels = 65536, kernel_size = 8 }, { name = 'conv2d', out_channels = 65536, kernel_size = 1 }",
            "[1]",
            "expected at most 1073741824 parameters, got 4307681280 so far",
        ),
        ("{ name = 'conv2d', kernel_size = 3 }", "[0]", "missing field `out_channels`"),
        ("{ name = 'conv2d', out_channels = 3 }", "[0]", "missing field `kernel_size`"),
        ("{ name = 'conv2d', filters = 3, kernel_size = 3 }", "[0].filters", "unknown field `filters`"),
        ("{ name = 'relu', inplace = true }", "[0].inplace", "unknown field `inplace`"),
        ("{ name = 'conv3d' }", "[0].name", "unknown layer `conv3d`, expected one of `conv2d`"),
        ("'conv3d'", "[0].name", "unknown layer `conv3d`"),
        (
            "{ name = 'conv2d', out_channels = 3, kernel_size = '3' }",
            "[0].kernel_size",
            "expected a whole number from 0, or [height, width]",
        ),
        (
            "{ name = 'conv2d', out_channels = 3, kernel_size = -1 }",
            "[0].kernel_size",
            "invalid value: integer `-1`",
        ),
        (
            "{ name = 'conv2d', out_channels = 3, kernel_size = [1, 2, 3] }",
            "[0].kernel_size",
            "invalid length 3",
        ),
        ("{ name = 'conv2d', out_channels = 3, kernel_size = [1] }", "[0].kernel_size", "invalid length 1"),
        ("{ kernel_size = 2 }", "[0]", "a layer has no `name`"),
        ("{ name = 3 }", "[0].name", "expected a name, got an integer"),
        ("3", "[0]", "expected a layer such as { name = \"relu\" }, got an integer"),
        ("{ name = 'relu', as = 1 }", "[0].as", "expected a name, got an integer"),
        (
            "{ name = 'relu', as = 'a..b' }",
            "[0].as",
            "expected letters, digits, `_` and `-`, perhaps in several parts with dots between them, got `a..b`",
        ),
        (
            "{ name = 'batch_norm2d', as = 'a' }, { name = 'batch_norm2d', as = 'a' }",
            "[1]",
            "expected a path that no other layer with parameters has; give this layer, or a block around it, a name, such as as = \"block1\", got `a`, which layers[0] has, too",
        ),
    ];
    check_all(cases.into_iter().map(|(layers, path, says)| {
        (format!("layers = [{layers}, {HEAD}]"), format!("layers{path}"), says.to_owned())
    }));
}

/// Blocks, and layers inside them.
#[test]
fn what_is_wrong_in_a_block_is_named_by_its_path() {
    let conv = "{ name = 'conv2d', out_channels = 4, kernel_size = 3 }";
    let cases = [
        (format!("{{ name = 'residual', body = [{conv}] }}"), "[0].shortcut", "expected an image of 4x6x6, as the body gives, got no layers, which leave an image of 3x8x8"),
        (format!("{{ name = 'residual', body = [{conv}], shortcut = ['relu'] }}"), "[0].shortcut", "expected an image of 4x6x6, as the body gives, got an image of 3x8x8"),
        (format!("{{ name = 'residual', body = ['relu'], shortcut = [{conv}], shortcut_when = 'always' }}"), "[0].shortcut", "expected an image of 3x8x8, as the body gives, got an image of 4x6x6"),
        ("{ name = 'residual', body = ['relu'], shortcut_when = 'never' }".to_owned(), "[0].shortcut_when", "unknown variant `never`"),
        ("{ name = 'residual', body = [] }".to_owned(), "[0].body", "expected a layer at least, got none"),
        ("{ name = 'residual' }".to_owned(), "[0]", "missing field `body`"),
        ("{ name = 'residual', body = ['relu'], before = [] }".to_owned(), "[0].before", "unknown field `before`"),
        ("{ name = 'residual', body = [{ name = 'conv2d', out_channels = 3, kernel_size = 9 }] }".to_owned(), "[0].body[0].kernel_size", "expected at most 8x8"),
        ("{ name = 'residual', body = ['relu'], after = ['relu', { name = 'dropout', p = 2.0 }] }".to_owned(), "[0].after[1].p", "expected 0 <= value < 1, got 2"),
        (format!("{{ name = 'residual', body = [{conv}], shortcut = [{conv}] }}"), "[0].shortcut[0]", "got `0`, which layers[0].body[0] has, too"),
        ("{ name = 'sequence', layers = ['relu', { name = 'sequence', layers = [{ name = 'dropout', q = 1 }] }] }".to_owned(), "[0].layers[1].layers[0].q", "unknown field `q`"),
        ("{ name = 'sequence', layers = [] }".to_owned(), "[0].layers", "expected a layer at least, got none"),
        ("{ name = 'concat', branches = [['relu']] }".to_owned(), "[0].branches", "expected two branches at least, got 1"),
        (format!("{{ name = 'concat', branches = [[], [{conv}]] }}"), "[0].branches[1]", "expected an image of 8x8, as the branches before it give, got an image of 4x6x6"),
        ("{ name = 'concat', branches = [[], ['flatten']] }".to_owned(), "[0].branches[1]", "expected an image of 8x8, as the branches before it give, got 192 features"),
        ("{ name = 'concat', branches = [[], 'relu'] }".to_owned(), "[0].branches[1]", "expected a sequence"),
        ("{ name = 'split', branches = [[], []] }".to_owned(), "[0].branches", "expected a number of branches that divides the 3 channels that come in, got 2"),
        ("'flatten', { name = 'split', branches = [[], []] }".to_owned(), "[1]", "expected an image"),
        ("{ name = 'split', branches = [[], [{ name = 'avg_pool2d', kernel_size = 9 }], []] }".to_owned(), "[0].branches[1][0].kernel_size", "expected at most 8x8, which is an image of 1x8x8"),
        (format!("{{ name = 'gate', body = [{conv}] }}"), "[0].body", "expected a factor for an image of 3x8x8, got an image of 4x6x6"),
        ("{ name = 'repeat', times = 0, layers = ['relu'] }".to_owned(), "[0].times", "expected 1 to 10000, got 0"),
        ("{ name = 'repeat', times = 1000000000, layers = ['relu'] }".to_owned(), "[0].times", "expected 1 to 10000, got 1000000000"),
        ("{ name = 'repeat', times = 9999, layers = ['relu', 'relu'] }".to_owned(), "[0].layers[1]", "expected at most 10000 layers and blocks, got more"),
        ("{ name = 'repeat', times = 2, layers = [] }".to_owned(), "[0].layers", "expected a layer at least, got none"),
        ("{ name = 'repeat', times = 2, layers = ['relu'], first = { p = 1 } }".to_owned(), "[0].first", "expected a block of the config in `layers` (`b`), got `relu`"),
        ("{ name = 'repeat', times = 2, layers = ['b', 'b'], first = { channels = 1 } }".to_owned(), "[0].first", "expected one block in `layers`, got 2 layers"),
        ("{ name = 'repeat', times = 2, layers = ['b'], first = { stride = 1 } }".to_owned(), "[0].first.stride", "unknown field `stride`, expected one of `channels`, `kernel`"),
        ("{ name = 'repeat', times = 2, layers = ['b'], first = { channels = 0 } }".to_owned(), "[0].first.channels", "expected a whole number from 1 to 65536, got 0"),
        ("{ name = 'repeat', times = 2, as = 'r', layers = [{ name = 'b', kernel = 5 }] }".to_owned(), "[0].layers[0].kernel", "expected at most 4x4"),
        ("{ name = 'b', channels = 0 }".to_owned(), "[0].channels", "expected a whole number from 1 to 65536, got 0"),
        ("{ name = 'b', kernel = 'x' }".to_owned(), "[0].kernel", "expected a whole number from 0, or [height, width]"),
        ("{ name = 'b', width = 3 }".to_owned(), "[0].width", "unknown field `width`, expected one of `channels`, `kernel`"),
        ("{ name = 'sequence', layers = ['relu', { name = 'b', channels = -1 }] }".to_owned(), "[0].layers[1].channels", "invalid value: integer `-1`"),
        ("'flatten', 'b'".to_owned(), "blocks.b.layers[0]", "expected an image (put this before `flatten`), got 192 features in the block as layers[1] uses it"),
        ("{ name = 'max_pool2d', kernel_size = 4 }, 'b'".to_owned(), "blocks.b.arguments.kernel", "expected at most 2x2, which is an image of 3x2x2 with its padding, got 3x3 in the block as layers[1] uses it"),
    ];
    check_all(cases.into_iter().map(|(layers, path, says)| {
        let path = if path.starts_with('[') { format!("layers{path}") } else { path.to_owned() };
        (format!("layers = [{layers}, {HEAD}]\n{BLOCK}"), path, says.to_owned())
    }));
}

#[test]
fn blocks_of_the_config_are_read_even_if_nothing_uses_them() {
    let good = "layers = ['flatten', { name = 'linear', out_features = 10 }]\n";
    let deep: String = (0..60)
        .map(|level| format!("[blocks.b{level}]\nlayers = ['b{}']\n", level + 1))
        .chain(["[blocks.b60]\nlayers = ['relu']\n".to_owned()])
        .collect();
    let wide: String = (0..20)
        .map(|level| format!("[blocks.b{level}]\nlayers = ['b{0}', 'b{0}']\n", level + 1))
        .chain(["[blocks.b20]\nlayers = ['relu']\n".to_owned()])
        .collect();
    let cases = [
        ("[blocks.b]\nlayers = ['conv3d']", "blocks.b.layers[0].name", "unknown layer `conv3d`"),
        (
            "[blocks.b]\nlayers = [{ name = 'dropout', p = '$q' }]",
            "blocks.b.layers[0].p",
            "unknown argument `$q`, expected none",
        ),
        (
            "[blocks.b]\narguments = { p = 0.1 }\nlayers = [{ name = 'dropout', p = '$q' }]",
            "blocks.b.layers[0].p",
            "unknown argument `$q`, expected `$p`",
        ),
        (
            "[blocks.b]\narguments = { p = 'x' }\nlayers = [{ name = 'dropout', p = '$p' }]",
            "blocks.b.arguments.p",
            "invalid type: string \"x\"",
        ),
        (
            "[blocks.b]\nlayers = ['relu', 'b']",
            "blocks.b.layers[1]",
            "expected a block that is not inside itself, got `b`",
        ),
        (
            "[blocks.a]\nlayers = ['b']\n[blocks.b]\nlayers = ['a']",
            "blocks.b.layers[0]",
            "expected a block that is not inside itself",
        ),
        (
            "[blocks.relu]\nlayers = ['flatten']",
            "blocks.relu",
            "expected a name that no layer and no block has, got `relu`",
        ),
        (
            "[blocks.residual]\nlayers = ['flatten']",
            "blocks.residual",
            "expected a name that no layer and no block has",
        ),
        (
            "[blocks.b]\narguments = { as = 1 }\nlayers = ['relu']",
            "blocks.b.arguments.as",
            "expected another name for an argument, got `as`",
        ),
        ("[blocks.b]\nlayers = []", "blocks.b.layers", "expected a layer at least, got none"),
        ("[blocks.b]\nlayer = ['relu']", "blocks.b.layer", "unknown field `layer`"),
        ("[blocks.b]\narguments = [1]\nlayers = ['relu']", "blocks.b.arguments", "invalid type"),
        (
            deep.as_str(),
            "blocks.b48.layers",
            "expected lists of layers inside one another 48 deep at most, got more",
        ),
    ];
    check_all(
        cases
            .into_iter()
            .map(|(blocks, path, says)| (format!("{good}{blocks}"), path.to_owned(), says.to_owned())),
    );
    let error = refused(&format!("{good}{wide}"));
    assert!(error.message.contains("expected at most 10000 layers and blocks, got more"), "{error}");
}

/// Each block hands its argument on twice: 2^40 values, were there no end to it.
#[test]
fn arguments_that_double_from_block_to_block_are_refused() {
    let blocks: String = (0..40)
        .map(|i| {
            let next = if i == 39 {
                "'relu'".to_owned()
            } else {
                format!("{{ name = 'b{}', x = ['$x', '$x'] }}", i + 1)
            };
            format!("[blocks.b{i}]\narguments = {{ x = [] }}\nlayers = [{next}]\n")
        })
        .collect();
    let error = refused(&format!(
        "layers = [{{ name = 'b0' }}, 'flatten', {{ name = 'linear', out_features = 2 }}]\n{blocks}"
    ));
    assert!(error.message.contains("100000 values at most"), "{error}");
}

#[test]
fn what_is_wrong_with_the_whole_is_named_by_its_key() {
    let good = "layers = ['flatten', { name = 'linear', out_features = 10 }]";
    let cases = [
        (
            "layers = []".to_owned(),
            "layers",
            "expected a `linear` as the last layer, with one of out_features for each class, got no layers",
        ),
        (
            "layers = ['flatten', 'relu']".to_owned(),
            "layers[1]",
            "expected a `linear` as the last layer, with one of out_features for each class, got `relu`",
        ),
        (
            "layers = ['flatten', { name = 'linear', out_features = 10 }, \
             { name = 'concat', branches = [['relu'], ['relu']] }]"
                .to_owned(),
            "layers[2]",
            "expected 10 features at the end, as the last `linear` gives, got 20",
        ),
        ("layers = 3".to_owned(), "layers", "invalid type: integer `3`"),
        ("input_shape = [3, 8, 8]".to_owned(), "", "missing field `layers`"),
        (format!("{good}\nin_channels = 3\n"), "in_channels", "unknown field `in_channels`"),
        (
            format!("{good}\nnum_classes = 0"),
            "num_classes",
            "expected a whole number from 1 to 100000, got 0",
        ),
        (format!("{good}\nnum_classes = 'ten'"), "num_classes", "invalid type: string \"ten\""),
        (
            format!("input_shape = [0, 8, 8]\n{good}"),
            "input_shape",
            "expected [channels, height, width], each 1 to 65536 and 268435456 together at most, got [0, 8, 8]",
        ),
        (format!("input_shape = [3, 8, 0]\n{good}"), "input_shape", "got [3, 8, 0]"),
        (format!("input_shape = [3, 1048576, 8]\n{good}"), "input_shape", "got [3, 1048576, 8]"),
        (format!("input_shape = [3, 32768, 32768]\n{good}"), "input_shape", "got [3, 32768, 32768]"),
        (format!("input_shape = [3, 8]\n{good}"), "input_shape", "invalid length 2"),
    ];
    check_all(cases.into_iter().map(|(model, path, says)| (model, path.to_owned(), says.to_owned())));
}
