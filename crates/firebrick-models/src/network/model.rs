//! A network with its parameters: the one Burn module of every network that is data.

use std::fmt;
use std::sync::Arc;

use burn::module::{
    Content, Devices, DisplaySettings, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper,
    ModuleVisitor,
};
use burn::tensor::{Device, Tensor};

use super::forward::run;
use super::plan::NetworkPlan;
use super::print::torch_print;
use crate::init::TorchInit;
use crate::layer::{Activations, LayerModule};

/// How the levels of a path call themselves to visitors; the parameter's own name comes with its role.
const CONTAINER: &str = "Struct:Network";

/// A network: a plan, and the parameters of each of its layers.
#[derive(Debug, Clone)]
pub struct Network {
    pub(super) plan: Arc<NetworkPlan>,
    /// One for each of the plan's layers, in their order.
    pub(super) layers: Vec<LayerModule>,
}

impl NetworkPlan {
    /// The network with torch's default initialisation; the same bits for the same `seed` on every device.
    pub fn init(self, seed: u64, device: &Device) -> Network {
        let mut torch = TorchInit::new(seed, device);
        let layers = self.layers.iter().map(|layer| torch.placed(&layer.placed)).collect();
        Network { plan: Arc::new(self), layers }
    }
}

impl Network {
    /// Everything but the parameters.
    pub fn plan(&self) -> &NetworkPlan {
        &self.plan
    }

    /// Scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images_nchw`: `[n, channels, height, width]` with the plan's `input_shape`
    /// - result `logits_nk`: `[n, num_classes]`
    pub fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        run(&self.plan.steps, &self.layers, Activations::Images(images_nchw)).features()
    }

    fn changed(self, change: impl FnMut(LayerModule) -> LayerModule) -> Self {
        Self { layers: self.layers.into_iter().map(change).collect(), plan: self.plan }
    }
}

/// Written out so that paths are the layers' names, with no field's name in front.
impl Module for Network {
    fn collect_devices(&self, devices: Devices) -> Devices {
        self.layers.iter().fold(devices, |devices, layer| layer.collect_devices(devices))
    }

    fn fork(self, device: &Device) -> Self {
        self.changed(|layer| layer.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.changed(|layer| layer.to_device(device))
    }

    fn train(self) -> Self {
        self.changed(LayerModule::train)
    }

    fn valid(&self) -> Self {
        let layers = self.layers.iter().map(LayerModule::valid).collect();
        Self { plan: Arc::clone(&self.plan), layers }
    }

    fn materialize(self) -> Self {
        self.changed(LayerModule::materialize)
    }

    /// As torch counts them: running statistics are none.
    fn num_params(&self) -> usize {
        self.layers.iter().map(Module::num_params).sum()
    }

    fn visit<Visitor: ModuleVisitor>(&self, visitor: &mut Visitor) {
        for (layer, module) in self.plan.layers.iter().zip(&self.layers) {
            visitor.enter_module(&layer.path, CONTAINER);
            module.visit(visitor);
            visitor.exit_module(&layer.path, CONTAINER);
        }
    }

    fn map<Mapper: ModuleMapper>(self, mapper: &mut Mapper) -> Self {
        let plan = Arc::clone(&self.plan);
        let mut layers = plan.layers.iter();
        self.changed(|module| {
            let Some(layer) = layers.next() else { unreachable!("bug: more modules than layers") };
            mapper.enter_module(&layer.path, CONTAINER);
            let module = module.map(mapper);
            mapper.exit_module(&layer.path, CONTAINER);
            module
        })
    }
}

impl ModuleDisplayDefault for Network {
    fn content(&self, content: Content) -> Option<Content> {
        Some(content)
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl ModuleDisplay for Network {
    fn format(&self, _settings: DisplaySettings) -> String {
        self.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetworkPlan { name, layers, levels, .. } = &*self.plan;
        f.write_str(&torch_print(name, layers, levels))
    }
}
