# A run on a disk that is too small: $1 KiB from the start, or, unless $2 is `never`, with $2 KiB left once
# three checkpoints are saved. Then the disk grows and the same command goes on.
# What follows is the command, and FIREBRICK the other binary; MOUNT=no limits the length of files instead.
set -u
size=$1 room=$2
shift 2
mkdir disk
if [ "$MOUNT" = yes ]; then
    mount -t tmpfs -o "size=${size}k" none disk || exit 99
fi

shrink() {
    used=$(df -k disk | tail -n 1 | awk '{ print $3 }')
    mount -o "remount,size=$((used + room))k" disk
}

if [ "$MOUNT" = no ]; then
    # Writing beyond the limit is to fail, not to kill.
    (trap '' XFSZ; ulimit -f "$size"; "$@" >events 2>first.txt)
    echo "first $?"
elif [ "$room" = never ]; then
    "$@" >events 2>first.txt
    echo "first $?"
else
    mkfifo events
    "$@" >events 2>first.txt &
    saved=0
    while read -r event; do
        case $event in
            *'"event":"checkpoint"'*) saved=$((saved + 1)) ;;
        esac
        if [ "$saved" = 3 ]; then
            shrink
            saved=100
        fi
    done <events
    wait $!
    echo "first $?"
    rm events
fi

if ls disk/run/checkpoints/step-* >checkpoints.txt 2>&1; then
    "$FIREBRICK" verify disk/run >verify.txt 2>&1
    echo "verify $?"
fi
[ "$MOUNT" = no ] || mount -o remount,size=1g disk
"$@" >events 2>again.txt
echo "again $?"
cp -r disk/run run
ls -A disk/run disk/run/checkpoints | grep -c 'tmp-'
