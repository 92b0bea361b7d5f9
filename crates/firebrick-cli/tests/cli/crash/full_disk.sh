# A run on a disk that is too small: $1 KiB from the start, or, unless $2 is `never`, with $2 KiB left once
# three checkpoints are saved. Then the disk grows and the same command goes on.
# TRAIN, FIREBRICK, CONFIG and SETS say what to run; MOUNT=no limits the length of files instead.
set -u
mkdir disk
if [ "$MOUNT" = yes ]; then
    mount -t tmpfs -o "size=$1k" none disk || exit 99
fi

run() {
    "$TRAIN" --config "$CONFIG" $SETS --run-dir disk/run --resume "$@"
}

shrink() {
    used=$(df -k disk | tail -n 1 | awk '{ print $3 }')
    mount -o "remount,size=$((used + $1))k" disk
}

if [ "$MOUNT" = no ]; then
    # Writing beyond the limit is to fail, not to kill.
    (trap '' XFSZ; ulimit -f "$1"; run --quiet 2>first.txt)
    echo "first $?"
elif [ "$2" = never ]; then
    run --quiet 2>first.txt
    echo "first $?"
else
    mkfifo events
    run --log-format json 2>first.txt >events &
    saved=0
    while read -r event; do
        case $event in
            *'"event":"checkpoint"'*) saved=$((saved + 1)) ;;
        esac
        if [ "$saved" = 3 ]; then
            shrink "$2"
            saved=100
        fi
    done <events
    wait $!
    echo "first $?"
fi

if ls disk/run/checkpoints/step-* >checkpoints.txt 2>&1; then
    "$FIREBRICK" verify disk/run >verify.txt 2>&1
    echo "verify $?"
fi
[ "$MOUNT" = no ] || mount -o remount,size=1g disk
run --quiet 2>again.txt
echo "again $?"
mkdir run
cp disk/run/summary.json disk/run/metrics.jsonl run/
ls -A disk/run disk/run/checkpoints | grep -c 'tmp-'
