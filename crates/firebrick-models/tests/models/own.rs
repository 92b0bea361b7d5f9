//! A layer of a program's own, registered and named in a config.

use burn::module::Module;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use firebrick_component::{ArgumentError, Component, ReadError, check, read};
use firebrick_models::layer::{Activations, Init, Layer, LayerConfig, ParameterSpec, Parameters};
use firebrick_models::parameters::{named_gradients, parameter_infos};
use firebrick_models::walk::Role;
use firebrick_models::{ModelConfig, Shape};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// `x * sigmoid(beta x)` with a `beta` that is learned.
///
/// # Source
///
/// Ramachandran et al., <https://arxiv.org/abs/1710.05941>.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Swish {
    /// What `beta` begins as.
    beta: f64,
}

impl Component for Swish {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::positive("beta", self.beta)
    }
}

impl Layer for Swish {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        input.image().map(Shape::Image)
    }

    fn parameters(&self, _input: Shape) -> Vec<ParameterSpec> {
        vec![ParameterSpec::new("beta", Role::Weight, [1], Init::Constant(self.beta as f32))]
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        let x = x.images();
        let beta = parameters.vector(0).reshape([1, 1, 1, 1]);
        (x.clone() * sigmoid(x * beta)).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!("Swish(beta={})", self.beta)
    }
}

fn network(swish: &str) -> Result<ModelConfig, ReadError> {
    LayerConfig::register::<Swish>("swish").unwrap();
    let text = format!(
        "name = 'sequential'\ninput_shape = [1, 4, 4]\nlayers = [\n{{ name = 'residual', body = [\
         {{ name = 'conv2d', as = 'conv', out_channels = 1, kernel_size = 1 }}, {swish}] }},\n'flatten',\n\
         {{ name = 'linear', as = 'fc', out_features = 2 }}]"
    );
    read(Value::Table(text.parse::<Table>().unwrap()))
}

#[test]
fn a_registered_layer_is_named_in_a_config_and_learns() {
    let config = network("{ name = 'swish', as = 'act', beta = 1.5 }").unwrap();
    let model = config.init(0, &Device::flex().autodiff());
    let names: Vec<String> = parameter_infos(&model).into_iter().map(|info| info.name).collect();
    assert_eq!(names, ["conv.weight", "conv.bias", "act.beta", "fc.weight", "fc.bias"]);
    assert_eq!(Module::num_params(&model), 2 + 1 + 34);
    assert!(model.to_string().contains("(act): Swish(beta=1.5)"), "{model}");

    let images_nchw = Tensor::ones([2, 1, 4, 4], &Device::flex().autodiff());
    let gradients = named_gradients(&model, &model.forward(images_nchw).sum().backward());
    let beta = gradients.into_iter().find(|(info, _)| info.name == "act.beta").unwrap().1.unwrap();
    assert!(beta.iter::<f32>().all(|gradient| gradient != 0.0), "{beta:?}");

    // Written and read again, it is the same network.
    let written = Value::Table(Table::try_from(&config).unwrap());
    assert_eq!(read::<ModelConfig>(written).unwrap(), config);
}

#[test]
fn a_registered_layer_is_refused_with_the_path_of_the_key() {
    let error = network("{ name = 'swish', beta = 'x' }").unwrap_err();
    assert_eq!(error.path, "layers[0].body[1].beta", "{error}");
    let error = network("{ name = 'swish', beta = -1 }").unwrap_err();
    assert_eq!(error.path, "layers[0].body[1].beta", "{error}");
    assert_eq!(error.message, "expected a finite number > 0, got -1");
}
