//! The loader: each sample once, in the order of (seed, epoch), whoever prepares it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use burn_dataset::Dataset;
use firebrick_data::order::epoch_order;
use firebrick_data::transform::{RandomCropConfig, RandomHorizontalFlipConfig, TransformConfig};
use firebrick_data::{
    DataError, DataLoader, HostBatch, HostPixels, HostTargets, Image, InputShape, LoaderOptions,
    PreparedDataset, Preprocess, Sample, Targets,
};
use proptest::prelude::*;

const SHAPE: InputShape = InputShape { channels: 1, height: 4, width: 4 };

/// What a test source does at one sample.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    Nothing,
    Fails(usize),
    Panics(usize),
}

/// Sample `i` is sixteen pixels of value `i`, with label `i % 10`.
struct Numbers {
    count: usize,
    trouble: Trouble,
    reads: AtomicUsize,
}

impl Numbers {
    fn new(count: usize, trouble: Trouble) -> Arc<Self> {
        Arc::new(Self { count, trouble, reads: AtomicUsize::new(0) })
    }
}

impl Dataset<Sample, DataError> for Numbers {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        assert!(index < self.count);
        self.reads.fetch_add(1, Ordering::Relaxed);
        assert!(self.trouble != Trouble::Panics(index), "the source gave up");
        if self.trouble == Trouble::Fails(index) {
            return Err(DataError::Worker { problem: "no such luck".into() });
        }
        // A gradient across the image makes crops and flips visible.
        let pixels = (0..16).map(|place| (index * 5 + place) as u8).collect();
        let image = Image { channels: 1, height: 4, width: 4, pixels };
        Ok(Sample { image, label: index as u32 % 10 })
    }

    fn len(&self) -> usize {
        self.count
    }
}

fn augmentations() -> Vec<TransformConfig> {
    vec![
        TransformConfig::RandomCrop(RandomCropConfig { padding: 2, ..Default::default() }),
        TransformConfig::RandomHorizontalFlip(RandomHorizontalFlipConfig::default()),
    ]
}

fn prepared(source: Arc<Numbers>, augment: Vec<TransformConfig>, seed: u64) -> Arc<PreparedDataset> {
    let preprocess = Preprocess::new(SHAPE, None).unwrap();
    Arc::new(PreparedDataset::new(source, preprocess, augment, seed).unwrap())
}

fn options(batch_size: usize, workers: usize) -> LoaderOptions {
    LoaderOptions { batch_size, shuffle: true, seed: 1, workers, drop_last: false }
}

fn loader(count: usize, options: LoaderOptions) -> DataLoader {
    let dataset = prepared(Numbers::new(count, Trouble::Nothing), augmentations(), options.seed);
    DataLoader::new(dataset, options)
}

fn floats(batch: &HostBatch) -> &[f32] {
    match &batch.pixels {
        HostPixels::Floats(values) => values,
        HostPixels::Bytes(..) => panic!("the workers have not converted the pixels"),
    }
}

fn batches(loader: &DataLoader, epoch: u64, first_batch: usize) -> Vec<HostBatch> {
    loader.epoch(epoch, first_batch).map(Result::unwrap).collect()
}

#[test]
fn batches_are_equal_for_any_number_of_workers() {
    let expected = batches(&loader(103, options(8, 0)), 3, 0);
    assert_eq!(expected.len(), 13);
    for workers in 1..=4 {
        let loader = loader(103, options(8, workers));
        assert_eq!(batches(&loader, 3, 0), expected, "{workers} workers");
    }
}

#[test]
fn an_epoch_can_be_entered_anywhere() {
    for workers in [0, 3] {
        let loader = loader(50, options(8, workers));
        let all = batches(&loader, 2, 0);
        for first in 0..=all.len() + 1 {
            let rest = batches(&loader, 2, first);
            assert_eq!(rest, all[first.min(all.len())..], "from batch {first}");
        }
    }
}

#[test]
fn entering_late_reads_nothing_before() {
    let source = Numbers::new(1000, Trouble::Nothing);
    let loader = DataLoader::new(prepared(Arc::clone(&source), vec![], 1), options(10, 2));
    assert_eq!(batches(&loader, 0, 98).len(), 2);
    assert_eq!(source.reads.load(Ordering::Relaxed), 20);
}

#[test]
fn a_batch_holds_what_its_indices_say() {
    let dataset = prepared(Numbers::new(30, Trouble::Nothing), augmentations(), 1);
    let loader = DataLoader::new(Arc::clone(&dataset), options(7, 2));
    for batch in batches(&loader, 5, 0) {
        assert_eq!(batch.shape, [batch.len(), 1, 4, 4]);
        assert_eq!(batch.sample_indices.len(), batch.len());
        for (place, &index) in batch.sample_indices.iter().enumerate() {
            let (values, label) = dataset.get(5, index).unwrap();
            assert_eq!(floats(&batch)[place * 16..][..16], values);
            assert_eq!(batch.labels[place], i64::from(label));
        }
        assert_eq!(batch.targets, HostTargets::Classes(batch.labels));
    }
}

#[test]
fn epochs_and_seeds_differ_and_repeat() {
    let one = batches(&loader(64, options(16, 2)), 0, 0);
    assert_eq!(batches(&loader(64, options(16, 2)), 0, 0), one);
    assert_ne!(batches(&loader(64, options(16, 2)), 1, 0), one);
    let other_seed = LoaderOptions { seed: 2, ..options(16, 2) };
    assert_ne!(batches(&loader(64, other_seed), 0, 0), one);
}

#[test]
fn augmentations_differ_between_epochs_and_samples_and_repeat() {
    let dataset = prepared(Numbers::new(40, Trouble::Nothing), augmentations(), 1);
    let again = prepared(Numbers::new(40, Trouble::Nothing), augmentations(), 1);
    let image = |dataset: &PreparedDataset, epoch, index| dataset.get(epoch, index).unwrap().0;
    let changed = (0..40).filter(|&index| image(&dataset, 0, index) != image(&dataset, 1, index));
    assert!(changed.count() > 30);
    for index in (0..40).rev() {
        assert_eq!(image(&dataset, 9, index), image(&again, 9, index));
    }
}

#[test]
fn the_order_never_changes() {
    // A change here changes every run ever made: an old checkpoint would go on with other batches.
    // The numbers come from another implementation of the cipher and of the shuffle.
    assert_eq!(epoch_order(10, true, 0, 0), [0, 3, 7, 6, 5, 1, 4, 8, 9, 2]);
    assert_eq!(epoch_order(10, true, 0, 1), [1, 3, 8, 9, 5, 2, 0, 4, 7, 6]);
    assert_eq!(epoch_order(10, true, 1, 0), [8, 1, 6, 4, 0, 5, 9, 3, 7, 2]);
}

#[test]
fn without_shuffling_samples_come_in_the_sources_order() {
    let plain = LoaderOptions { shuffle: false, ..options(4, 2) };
    let indices: Vec<usize> =
        batches(&loader(10, plain), 7, 0).into_iter().flat_map(|batch| batch.sample_indices).collect();
    assert_eq!(indices, (0..10).collect::<Vec<_>>());
}

#[test]
fn drop_last_leaves_out_the_rest_only() {
    let whole = loader(10, options(4, 0));
    assert_eq!((whole.num_batches(), whole.num_samples()), (3, 10));
    let full = loader(10, LoaderOptions { drop_last: true, ..options(4, 2) });
    assert_eq!((full.num_batches(), full.num_samples()), (2, 8));
    assert_eq!(batches(&full, 0, 0), batches(&whole, 0, 0)[..2]);
    let exact = loader(8, LoaderOptions { drop_last: true, ..options(4, 2) });
    assert_eq!((exact.num_batches(), exact.num_samples()), (2, 8));
}

#[test]
fn an_empty_data_set_has_no_batches() {
    for workers in [0, 2] {
        let loader = loader(0, options(4, workers));
        assert_eq!((loader.num_batches(), loader.num_samples()), (0, 0));
        assert_eq!(batches(&loader, 0, 0), []);
    }
}

#[test]
fn a_batch_size_beyond_the_data_set_is_one_batch() {
    let loader = loader(5, options(usize::MAX, 2));
    assert_eq!(loader.num_batches(), 1);
    assert_eq!(batches(&loader, 0, 0)[0].len(), 5);
    let every_one = self::loader(5, options(0, 2));
    assert_eq!(every_one.num_batches(), 5, "0 is taken as 1");
}

/// The batches before the trouble, and the error.
fn until_error(trouble: Trouble, workers: usize) -> (usize, DataError) {
    let plain = LoaderOptions { shuffle: false, ..options(5, workers) };
    let loader = DataLoader::new(prepared(Numbers::new(100, trouble), vec![], 1), plain);
    let mut epoch = loader.epoch(0, 0);
    let mut count = 0;
    loop {
        match epoch.next() {
            Some(Ok(_)) => count += 1,
            Some(Err(error)) => {
                assert!(epoch.next().is_none(), "nothing comes after an error");
                return (count, error);
            }
            None => panic!("the epoch ended early without an error, after {count} batches"),
        }
    }
}

#[test]
fn an_error_of_the_source_arrives_in_its_place_with_the_sample() {
    for workers in 0..=4 {
        let (count, error) = until_error(Trouble::Fails(42), workers);
        assert_eq!(count, 8, "{workers} workers");
        assert!(matches!(error, DataError::Sample { index: 42, .. }), "{error}");
        assert!(error.to_string().contains("no such luck"), "{error}");
        assert!(!error.is_config());
    }
}

#[test]
fn a_panic_of_the_source_arrives_as_an_error_with_the_sample() {
    for workers in 0..=4 {
        let (count, error) = until_error(Trouble::Panics(42), workers);
        assert_eq!(count, 8, "{workers} workers");
        assert!(matches!(error, DataError::Sample { index: 42, .. }), "{error}");
        assert!(error.to_string().contains("the source gave up"), "{error}");
    }
}

#[test]
fn past_the_end_is_an_error_not_a_panic() {
    let dataset = prepared(Numbers::new(3, Trouble::Nothing), vec![], 1);
    let error = dataset.get(0, 3).unwrap_err();
    assert!(matches!(error, DataError::Index { index: 3, count: 3 }), "{error}");
}

#[test]
fn workers_stay_a_bounded_number_of_batches_ahead() {
    let source = Numbers::new(10_000, Trouble::Nothing);
    let loader = DataLoader::new(prepared(Arc::clone(&source), vec![], 1), options(10, 2));
    let mut epoch = loader.epoch(0, 0);
    epoch.next().unwrap().unwrap();
    // Two workers, two batches each beyond the one taken: whatever the timing, never more.
    assert!(source.reads.load(Ordering::Relaxed) <= 50);
    drop(epoch);
    assert!(source.reads.load(Ordering::Relaxed) <= 50);
}

/// A source that hands out its first sample, and the others when the gate is opened.
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    reads: AtomicUsize,
}

impl Dataset<Sample, DataError> for Gate {
    fn get(&self, index: usize) -> Result<Sample, DataError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().unwrap();
        while index > 0 && !*open {
            open = self.opened.wait(open).unwrap();
        }
        let pixels = vec![0; 16].into();
        Ok(Sample { image: Image { channels: 1, height: 4, width: 4, pixels }, label: 0 })
    }

    fn len(&self) -> usize {
        4_000_000
    }
}

#[test]
fn dropping_an_epoch_stops_its_workers_within_a_sample() {
    let (open, opened, reads) = (Mutex::new(false), Condvar::new(), AtomicUsize::new(0));
    let gate = Arc::new(Gate { open, opened, reads });
    let preprocess = Preprocess::new(SHAPE, None).unwrap();
    let dataset = PreparedDataset::new(gate.clone(), preprocess, vec![], 1).unwrap();
    let plain = LoaderOptions { shuffle: false, ..options(2_000_000, 2) };
    let epoch = DataLoader::new(Arc::new(dataset), plain).epoch(0, 0);
    // Both workers stand at the gate: the first in its second sample, the other in its first.
    while gate.reads.load(Ordering::SeqCst) < 3 {
        std::thread::yield_now();
    }
    *gate.open.lock().unwrap() = true;
    gate.opened.notify_all();
    drop(epoch);
    assert!(gate.reads.load(Ordering::SeqCst) < 2_000_000, "a batch was finished for nobody");
    assert_eq!(Arc::strong_count(&gate), 1, "a worker outlived its epoch");
}

#[test]
fn a_batch_becomes_tensors_of_its_shape() {
    let device = burn::tensor::Device::flex();
    let host = batches(&loader(6, options(4, 0)), 0, 0).remove(1);
    let batch = host.clone().to_tensors(&device);
    assert_eq!(batch.images_nchw.dims(), [2, 1, 4, 4]);
    let values: Vec<f32> = batch.images_nchw.into_data().try_to_vec().unwrap();
    assert_eq!(values, floats(&host));
    let Targets::Classes(labels_n) = batch.targets else { panic!("nothing was mixed") };
    let labels: Vec<i64> = labels_n.into_data().iter::<i64>().collect();
    assert_eq!(labels, host.labels);
}

#[test]
fn bytes_become_the_same_numbers_later() {
    let (loader, device) = (loader(6, options(4, 2)), burn::tensor::Device::flex());
    let early = batches(&loader, 0, 0);
    let late = batches(&loader.keep_bytes(), 0, 0);
    for (early, late) in early.into_iter().zip(late) {
        assert!(matches!(late.pixels, HostPixels::Bytes(..)));
        assert_eq!(late.pixels.clone().into_floats(16), floats(&early));
        let values = |batch: HostBatch| batch.to_tensors(&device).images_nchw.into_data();
        assert_eq!(values(late), values(early));
    }
}

proptest! {
    #[test]
    fn an_order_is_a_permutation(count in 0..300_usize, seed: u64, epoch: u64) {
        let mut order = epoch_order(count, true, seed, epoch);
        prop_assert_eq!(&order, &epoch_order(count, true, seed, epoch));
        order.sort_unstable();
        prop_assert_eq!(order, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn batches_cover_each_sample_once(
        count in 1..80_usize, batch_size in 1..20_usize, workers in 0..5_usize, seed: u64, epoch: u64,
    ) {
        let options = LoaderOptions { seed, ..options(batch_size, workers) };
        let loader = loader(count, options);
        let batches = batches(&loader, epoch, 0);
        prop_assert_eq!(batches.len(), loader.num_batches());
        prop_assert!(batches.iter().rev().skip(1).all(|batch| batch.len() == batch_size));
        let mut seen: Vec<usize> = batches.into_iter().flat_map(|batch| batch.sample_indices).collect();
        prop_assert_eq!(&seen, &epoch_order(count, true, seed, epoch));
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
    }
}
