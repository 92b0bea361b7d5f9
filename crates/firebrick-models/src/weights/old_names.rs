//! Names in published files that are older than the networks' names of today.

/// What a tensor is called today. DenseNet's files have `norm.1`, `conv.2` and so on in their dense layers, from before
/// PyTorch refused dots in the names of modules.
///
/// # Source
///
/// `torchvision.models.densenet._load_state_dict`.
pub(super) fn todays_name(name: &str) -> Option<String> {
    let (before, rest) = name.split_once("denselayer")?;
    let mut parts = rest.split('.');
    let (layer, kind, number, leaf) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_number = !layer.is_empty() && layer.bytes().all(|byte| byte.is_ascii_digit());
    let is_old = parts.next().is_none()
        && is_number
        && ["norm", "relu", "conv"].contains(&kind)
        && ["1", "2"].contains(&number);
    is_old.then(|| format!("{before}denselayer{layer}.{kind}{number}.{leaf}"))
}
