#!/bin/sh
# Make the old runs and what they lead to, with the binaries of the version that they are of.
# usage: make.sh BIN_DIR        (BIN_DIR holds `train` and `firebrick`)
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")"
rm -rf runs && mkdir runs
for name in lenet sequential image_folder; do
    case $name in
        lenet) steps=13 image=digit.png ;;
        sequential) steps=13 image=digit.png ;;
        image_folder) steps=10 image=images/test/rows/0.png ;;
    esac
    run=runs/$name
    "$bin/train" --quiet --config $name.toml --set trainer.max_steps=$steps --run-dir $run
    files=$(cd $run && find . -type f ! -name .lock -printf '%P\n' | sort)
    tar --owner=0 --group=0 --numeric-owner --mtime=@0 -C $run -c $files | gzip -9n > $name.tar.gz

    "$bin/firebrick" evaluate $run --json > runs/$name.evaluate.json
    "$bin/firebrick" predict $run $image --top 10 --json > runs/$name.predict.json
    cp -r $run $run.whole
    "$bin/train" --quiet --config $name.toml --resume --run-dir $run.whole
    "$bin/firebrick" evaluate $run.whole --json > runs/$name.whole.evaluate.json
    # And what a run gives that nothing has cut: the same bits.
    "$bin/train" --quiet --config $name.toml --run-dir $run.uncut
done
"$bin/firebrick" evaluate runs/sequential --ema --json > runs/sequential.evaluate_ema.json
python3 collect.py
rm -r runs
