//! Cases from public reports and from hostile use, each with what is right.

mod case_05_truncated_images;
mod case_08_other_classes;
mod case_11_huge_image;
mod case_15_checkpoint_keys;
mod case_19_other_num_classes;
mod case_25_resume_longer;
mod case_28_config_text;
mod case_41_test_loss;
mod case_42_max_steps;
mod case_43_leftover_checkpoints;
mod case_44_branch;
mod case_45_without_checkpoints;
mod case_46_start_weights;
mod case_47_restore_last;
mod case_48_never_overwrite;
mod case_49_disk_room;
mod case_50_pt_names;
mod case_51_accumulation;
mod case_52_no_effect;
mod case_53_log_probabilities;
mod case_54_cosmetics;
mod definition;
mod hostile_files;
