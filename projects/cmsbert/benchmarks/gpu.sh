#!/usr/bin/env bash
# Test and measure on one GPU, in at most 8 minutes.
#   projects/cmsbert/benchmarks/gpu.sh OUT
#   PEER=mag_bert PEER_PYTHON=mag_env/bin/python DATA=mag_data/mosi.pkl projects/cmsbert/benchmarks/gpu.sh OUT
#   projects/cmsbert/benchmarks/gpu.sh --dry OUT    # the same parts on a CPU, with a small network
# PYTHON names the interpreter, TOKENIZER that of the backbone. README.md beside this file describes the parts.
set -uo pipefail
device=cuda backbone=base tokenizer=${TOKENIZER:-bert-base-uncased} frames=2000 rounds=7 batch=48 slower=1
if [ "${1:-}" = --dry ]; then
    device=cpu backbone=projects/cmsbert/demo tokenizer=projects/cmsbert/demo frames=200 rounds=1 batch=8 slower=5
    shift
fi
[ $# = 1 ] || { echo "usage: $0 [--dry] OUT" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")/../../.."
python=${PYTHON:-python} here=projects/cmsbert/benchmarks
export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} HF_HUB_OFFLINE=${HF_HUB_OFFLINE:-1} CMSBERT_TEST_DEVICE=$device
failed=0

part() { # name, seconds at most on a GPU, command
    local name=$1 most=$2 begun=$SECONDS
    shift 2
    timeout --kill-after=5 $((most * slower)) "$@" >"$out/$name.txt" 2>"$out/$name.log"
    local status=$?
    [ $status = 0 ] || failed=1
    {
        echo "== $name: status $status, $((SECONDS - begun)) s"
        [ $status = 0 ] && cat "$out/$name.txt" || tail -n 5 "$out/$name.txt" "$out/$name.log"
    } | tee -a "$out/summary.txt"
}

: >"$out/summary.txt"
if [ $device = cuda ]; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/gpu.txt"
    nvidia-smi --query-gpu=timestamp,utilization.gpu,memory.used --format=csv -l 1 >"$out/utilisation.csv" &
    trap 'kill %1' EXIT
fi
part tests 90 "$python" -m pytest -q -p no:cacheprovider tests/gpu
part waits 60 "$python" $here/waits.py --device $device --out "$out"
part frames 40 "$python" $here/long_frames.py --device $device --backbone $backbone --frames $frames --batch $batch
part step 180 "$python" $here/step.py --device $device --backbone $backbone --batch $batch --rounds $rounds --out "$out/step.json" \
    --variants reference packed "CMS + CLR, EMA" "CMS + CLR, EMA, bf16" "CMS + CLR, EMA, compiled" \
    "CMS + CLR, EMA, bf16, compiled" "CMS + CLR, EMA, bf16, packed"
if [ -n "${PEER:-}" ]; then
    part peer 110 "$python" $here/step.py --device $device --backbone $backbone --batch $batch --rounds $rounds --out "$out/peer.json" \
        --peer "$PEER" --peer-python "${PEER_PYTHON:-$python}" --data "${DATA:?names the pickle of MAG-BERT}" \
        --tokenizer "$tokenizer" --runs "CMS + CLR, EMA" "CMS + CLR, EMA, bf16"
else
    echo "== peer: PEER names no checkout of MAG-BERT's code; no ratio" | tee -a "$out/summary.txt"
fi
echo "all values: $out"
exit $failed
