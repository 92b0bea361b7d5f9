#!/bin/sh
# Changes one constant, weight or sign of a loss after another and runs the golden tests: each change has
# to be noticed. Works in a scratch checkout, so the sources are never touched.
#
#   sh crates/firebrick-loss/tests/mutations/run.sh > crates/firebrick-loss/tests/mutations/README.md
#
# list.tsv holds the changes: file, what stands there, what is put there; separated by tabs. The n-th
# place of several is written as `file#n`. MUTATION_TEST replaces the command, which runs in the
# checkout and has to fail.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
scratch=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$scratch/tree" 2>/dev/null; rm -rf "$scratch"' EXIT
git -C "$root" worktree add --quiet --detach "$scratch/tree" HEAD
cd "$scratch/tree"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
test_command=${MUTATION_TEST:-"cargo test --quiet --workspace --test loss -- golden_ --skip wgpu"}

echo "# Changes that the golden tests notice"
echo
echo "Made by \`run.sh\` from \`list.tsv\`. Each line is one change to the source of a loss, by one part in a"
echo "thousand where it is a number, and the golden cases that then differ (flex and ndarray, 2,044 runs)."
echo
echo "| file | was | became | cases that differ |"
echo "|---|---|---|---|"
missed=0
while IFS="$(printf '\t')" read -r place old new; do
    file=crates/firebrick-loss/src/${place%%#*}
    count=1
    case $place in *#*) count=${place##*#} ;; esac
    cp "$file" "$scratch/original"
    if ! OLD=$old NEW=$new COUNT=$count perl -0pi -e '
        my ($at, $n) = (-1, 0);
        while ($n < $ENV{COUNT}) { $at = index($_, $ENV{OLD}, $at + 1); last if $at < 0; $n++ }
        exit 3 if $at < 0;
        substr($_, $at, length $ENV{OLD}) = $ENV{NEW};' "$file"
    then
        result="**no such place**"
        missed=$((missed + 1))
    elif sh -c "$test_command" > "$scratch/log" 2>&1; then
        result="**none**"
        missed=$((missed + 1))
    else
        result=$(awk '/ cases differ/ { n += $1 } END { print n + 0 }' "$scratch/log")
        if [ "$result" = 0 ]; then
            result="**does not build**"
            missed=$((missed + 1))
        fi
    fi
    cp "$scratch/original" "$file"
    echo "| \`${place%%#*}\` | \`$old\` | \`$new\` | $result |"
done < "$here/list.tsv"
echo
echo "$(wc -l < "$here/list.tsv") changes, $missed missed."
[ "$missed" = 0 ]
