//! Decides which tensor of a file is which parameter of a model, without reading a value.

use std::collections::{HashMap, HashSet};

use super::described::{MatchedBy, Misshapen, Mistyped, NamedShape};
use super::error::{Mismatch, WeightsError};
use super::file::{FileTensor, WeightsFile};
use super::format::WeightsFormat;
use super::layers;
use super::prefix::find_prefix;
use super::targets::{Match, Target, Targets, is_counter};
use crate::parameters::ParameterInfo;

/// How forgiving [`load`](super::load) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadOptions<'a> {
    /// `true`: every parameter must be in the file and every tensor of the file in the model, but for a last layer
    /// that is for another number of classes as a whole: it keeps the values it has.
    /// `false`: a parameter that is missing, and a last layer of any other shape, keep the values
    /// they have, too; extra tensors are left out. The report says which. A tensor of a wrong shape
    /// anywhere but in the last layer stays an error, as in torch.
    pub strict: bool,
    /// Where in the file the network lies, such as `state_dict` or `checkpoint.params_ema`; `None`: wherever one
    /// fits.
    pub key: Option<&'a str>,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        Self { strict: true, key: None }
    }
}

/// Which tensor goes where, and what is left on both sides.
pub(crate) struct Plan {
    pub(crate) matched_by: MatchedBy,
    /// Each parameter that gets a tensor, with that tensor.
    pub(crate) pairs: Vec<(ParameterInfo, Match)>,
    pub(crate) missing: Vec<NamedShape>,
    pub(crate) fresh_head: Vec<Misshapen>,
    pub(crate) extra: Vec<NamedShape>,
}

/// Matches by name if any name is known, else by order and shape.
pub(crate) fn match_tensors(
    file: &WeightsFile,
    targets: &Targets,
    options: LoadOptions,
) -> Result<Plan, WeightsError> {
    let draft = Draft::of(file, targets)?;
    let by_order_alone = draft.matches.iter().flatten().filter(|found| found.by_order_alone).count();
    if file.format == WeightsFormat::Safetensors && by_order_alone > 0 {
        return Err(WeightsError::OrderSaysNothing { path: file.path.clone(), by_order_alone });
    }
    let findings = draft.findings(file, targets);
    findings.judge(draft.matched_by, file, targets, options)
}

/// How well a file and a model go together.
pub(crate) struct Fit {
    /// Parameters and tensors that are missing, extra or of another shape.
    pub(crate) num_problems: usize,
    /// True where names said which tensor is which.
    pub(crate) is_by_name: bool,
    /// The tensors of the file that parameters get.
    pub(crate) tensors: Vec<usize>,
}

/// How well `file` fits, without reading a value.
///
/// # Errors
///
/// [`WeightsError::AmbiguousPrefix`] where several networks in it fit.
pub(crate) fn fit(file: &WeightsFile, targets: &Targets) -> Result<Fit, WeightsError> {
    let draft = Draft::of(file, targets)?;
    Ok(Fit {
        num_problems: draft.problems(),
        is_by_name: !matches!(draft.matched_by, MatchedBy::OrderAndShape),
        tensors: draft.matches.iter().flatten().map(|found| found.tensor).collect(),
    })
}

/// A first assignment: for each target its tensor.
struct Draft {
    matched_by: MatchedBy,
    matches: Vec<Option<Match>>,
    num_extra: usize,
    num_misshapen: usize,
}

impl Draft {
    fn new(
        matched_by: MatchedBy,
        matches: Vec<Option<Match>>,
        file: &WeightsFile,
        targets: &Targets,
    ) -> Self {
        let num_misshapen = targets
            .parameters
            .iter()
            .zip(&matches)
            .filter(|(target, found)| {
                found.is_some_and(|found| file.tensors[found.tensor].shape != target.file_shape)
            })
            .count();
        Self { num_extra: leftover(file, &matches).count(), num_misshapen, matched_by, matches }
    }

    /// By names if any is known and they fit better, else by order and shape.
    fn of(file: &WeightsFile, targets: &Targets) -> Result<Self, WeightsError> {
        Ok(match Self::by_name(file, targets)? {
            Some(draft) if draft.is_trusted() => draft,
            other => {
                let by_order = Self::by_order(file, targets);
                match other {
                    Some(by_name) if by_name.problems() <= by_order.problems() => by_name,
                    _ => by_order,
                }
            }
        })
    }

    /// Names of our own are evidence even if some are missing; positions in somebody's
    /// `nn.Sequential` only if all of them fit.
    fn is_trusted(&self) -> bool {
        matches!(self.matched_by, MatchedBy::Name { .. }) || self.problems() == 0
    }

    fn problems(&self) -> usize {
        let missing = self.matches.iter().filter(|found| found.is_none()).count();
        missing + self.num_extra + self.num_misshapen
    }

    /// The names and the prefix under which most parameters are found; `None` if there is not one.
    fn by_name(file: &WeightsFile, targets: &Targets) -> Result<Option<Self>, WeightsError> {
        let own: Vec<&str> = targets.parameters.iter().map(|t| t.info.name.as_str()).collect();
        let indexed: Vec<&str> = targets.parameters.iter().map(|t| t.indexed_name.as_str()).collect();
        let own_found = find_prefix(&file.path, &file.tensors, &own)?;
        let indexed_found = find_prefix(&file.path, &file.tensors, &indexed)?;
        let own_count = own_found.as_ref().map_or(0, |(_, count)| *count);
        let found = match indexed_found {
            Some((prefix, count)) if count > own_count => Some((MatchedBy::Index { prefix }, indexed)),
            _ => own_found.map(|(prefix, _)| (MatchedBy::Name { prefix }, own)),
        };
        Ok(found.map(|(matched_by, names)| {
            let positions = positions_by_name(&file.tensors);
            let prefix = match &matched_by {
                MatchedBy::Name { prefix } | MatchedBy::Index { prefix } => prefix.as_str(),
                MatchedBy::OrderAndShape => "",
            };
            let find = |name: &&str| {
                let tensor = positions.get(format!("{prefix}{name}").as_str()).copied()?;
                Some(Match { tensor, by_order_alone: false })
            };
            let matches = names.iter().map(find).collect();
            Self::new(matched_by, matches, file, targets)
        }))
    }

    /// By shape, in the order of the file: whole layers first, because the shapes of a weight and its
    /// bias together leave less to chance; single tensors if layers do not work out.
    fn by_order(file: &WeightsFile, targets: &Targets) -> Self {
        let draft = |matches| Self::new(MatchedBy::OrderAndShape, matches, file, targets);
        let by_layer = draft(layers::match_layers(file, targets));
        if by_layer.problems() == 0 {
            return by_layer;
        }
        let by_tensor = draft(layers::match_single_tensors(file, targets));
        if by_tensor.problems() == 0 { by_tensor } else { by_layer }
    }

    /// Whether the file has every tensor of the last layer, all of them for the same other number of classes.
    fn is_head_of_other_classes(&self, file: &WeightsFile, targets: &Targets) -> bool {
        let mut found = None;
        for (target, matched) in targets.parameters.iter().zip(&self.matches) {
            if !targets.is_head(target) {
                continue;
            }
            let Some(tensor) = matched.map(|matched| &file.tensors[matched.tensor]) else { return false };
            let Some(classes) = target.other_classes(&tensor.shape, file.layout) else { return false };
            if *found.get_or_insert(classes) != classes {
                return false;
            }
        }
        found.is_some()
    }

    /// Sorts what was found into what can be loaded and what is wrong.
    fn findings(&self, file: &WeightsFile, targets: &Targets) -> Findings {
        let mut findings = Findings::default();
        for (target, found) in targets.parameters.iter().zip(&self.matches) {
            match found {
                Some(found) => findings.sort_in(file, targets, target, *found),
                None => findings
                    .missing
                    .push(NamedShape { name: target.info.name.clone(), shape: target.info.shape.clone() }),
            }
        }
        findings.is_head_of_other_classes = self.is_head_of_other_classes(file, targets);
        let extra = leftover(file, &self.matches);
        findings.extra = extra.map(|i| named_shape(&file.tensors[i])).collect();
        findings
    }
}

/// Everything that a comparison of file and model brings up.
#[derive(Default)]
struct Findings {
    /// Whether the last layer is whole, and differs in nothing but the number of classes.
    is_head_of_other_classes: bool,
    pairs: Vec<(ParameterInfo, Match)>,
    missing: Vec<NamedShape>,
    extra: Vec<NamedShape>,
    misshapen_head: Vec<Misshapen>,
    misshapen: Vec<Misshapen>,
    mistyped: Vec<Mistyped>,
}

impl Findings {
    fn sort_in(&mut self, file: &WeightsFile, targets: &Targets, target: &Target, found: Match) {
        let tensor = &file.tensors[found.tensor];
        let fits = tensor.shape == target.file_shape;
        match (fits, tensor.is_float(), targets.is_head(target)) {
            (true, true, _) => self.pairs.push((target.info.clone(), found)),
            (true, false, _) => self.mistyped.push(describe_type(target, tensor)),
            (false, _, true) => self.misshapen_head.push(describe_shapes(target, tensor)),
            (false, _, false) => self.misshapen.push(describe_shapes(target, tensor)),
        }
    }

    /// Lets the findings through, or puts everything that is wrong into one error.
    fn judge(
        mut self,
        matched_by: MatchedBy,
        file: &WeightsFile,
        targets: &Targets,
        options: LoadOptions,
    ) -> Result<Plan, WeightsError> {
        let wrong_head = if self.is_head_of_other_classes { 0 } else { self.misshapen_head.len() };
        let forgivable = self.missing.len() + wrong_head + self.extra.len();
        let fatal = self.misshapen.len() + self.mistyped.len();
        let is_fatal = fatal > 0 || self.pairs.is_empty();
        if !is_fatal && (forgivable == 0 || !options.strict) {
            return Ok(Plan {
                matched_by,
                pairs: self.pairs,
                missing: self.missing,
                fresh_head: self.misshapen_head,
                extra: self.extra,
            });
        }
        if !self.is_head_of_other_classes {
            self.misshapen.extend(self.misshapen_head);
        }
        Err(WeightsError::Mismatch(Box::new(Mismatch {
            path: file.path.clone(),
            model: targets.model.clone(),
            matched_by,
            missing: self.missing,
            extra: self.extra,
            misshapen: self.misshapen,
            mistyped: self.mistyped,
            strict_is_the_reason: !is_fatal,
        })))
    }
}

fn positions_by_name(tensors: &[FileTensor]) -> HashMap<&str, usize> {
    let named = tensors.iter().enumerate();
    named.map(|(i, tensor)| (tensor.name.as_str(), i)).collect()
}

/// Positions of the tensors that no parameter has.
fn leftover<'a>(file: &'a WeightsFile, matches: &[Option<Match>]) -> impl Iterator<Item = usize> + use<'a> {
    let used: HashSet<usize> = matches.iter().flatten().map(|found| found.tensor).collect();
    let named = file.tensors.iter().enumerate();
    named.filter(move |(i, tensor)| !used.contains(i) && !is_counter(&tensor.name)).map(|(i, _)| i)
}

fn named_shape(tensor: &FileTensor) -> NamedShape {
    NamedShape { name: tensor.name.clone(), shape: tensor.shape.clone() }
}

fn describe_shapes(target: &Target, tensor: &FileTensor) -> Misshapen {
    Misshapen {
        parameter: target.info.name.clone(),
        tensor: tensor.name.clone(),
        expected: target.file_shape.clone(),
        got: tensor.shape.clone(),
    }
}

fn describe_type(target: &Target, tensor: &FileTensor) -> Mistyped {
    Mistyped {
        parameter: target.info.name.clone(),
        tensor: tensor.name.clone(),
        got: tensor.dtype_name.clone(),
    }
}
