# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2054 # the options of scripts/vm; commas of QEMU options
#
# The virtual machine of scripts/vm: QEMU's arguments, the choice between KVM
# and TCG, and what counts as a warning in the kernel's log.

# What the kernel writes when something is wrong, whatever the level.
SQ_KERNEL_TROUBLE='WARNING:|\bBUG\b|Oops|kernel panic|Kernel panic|Call Trace:|general protection fault'
SQ_KERNEL_TROUBLE+='|possible circular locking|inconsistent lock state|suspicious RCU usage|rcu_.* detected stalls'
SQ_KERNEL_TROUBLE+='|INFO: task .* blocked|soft lockup|hard LOCKUP|kmemleak:|KASAN:|UBSAN:|refcount_t:'
SQ_KERNEL_TROUBLE+='|unable to handle|Unable to handle|irq .*: nobody cared|DMA-API:|list_(add|del) corruption'

sq_is_number() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# The arguments as one line that any POSIX shell reads back as they are.
sq_quote() {
    local word
    for word in "$@"; do
        printf "'%s' " "${word//\'/\'\\\'\'}"
    done
    printf '\n'
}

# sq_kernel_log_clean LOG: shows and counts lines of trouble.
sq_kernel_log_clean() {
    local lines
    lines=$(grep -aE "$SQ_KERNEL_TROUBLE" "$1" || true)
    [ -n "$lines" ] || return 0
    sq_warn "the guest's kernel log has trouble (whole log: $1):"
    grep -aE -A 25 -m 3 "$SQ_KERNEL_TROUBLE" "$1" >&2
    return 1
}

# ---- acceleration ---------------------------------------------------------

# The host may have /dev/kvm and still be unable to run a stock guest: only a
# guest that really came up counts. The verdict holds until the next boot.
sq_kvm_works() {
    local verdict key
    if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
        return 1
    fi
    key=$(sq_key "=$(cat /proc/sys/kernel/random/boot_id)" "=$qemu" "=$SQ_KERNEL_RELEASE")
    verdict=$SQ_CACHE/kvm/$key
    if [ ! -s "$verdict" ]; then
        mkdir -p "$SQ_CACHE/kvm"
        sq_log "trying whether KVM can run the guest ..."
        if sq_kvm_probe; then echo yes; else echo no; fi >"$verdict.$$"
        mv -- "$verdict.$$" "$verdict"
    fi
    [ "$(cat "$verdict")" = yes ]
}

# Boots the image with a time limit and looks for its sign of life.
sq_kvm_probe() {
    timeout -k 2 20 "$qemu" -machine q35 -accel kvm -cpu max,-hypervisor -m 512M -smp 1 \
        -nodefaults -no-user-config -display none -no-reboot -serial stdio \
        -L /usr/share/seabios -L /usr/share/qemu \
        -kernel "$SQ_KERNEL_IMAGE" -initrd "$image" \
        -append "console=ttyS0 panic=-1 quiet sq.mode=probe" </dev/null 2>/dev/null |
        grep -q 'smartquant guest is alive'
}

# Sets accel to kvm or tcg and says why.
sq_machine_accel() {
    case $accel in
    kvm) sq_kvm_works || sq_die "KVM cannot run the guest here" "use --accel tcg" ;;
    auto)
        if sq_kvm_works; then
            accel=kvm
        else
            accel=tcg
            sq_log "KVM cannot run the guest here: emulating the CPU (TCG)"
        fi
        ;;
    esac
}

# ---- QEMU's arguments -----------------------------------------------------

# Without the hypervisor bit: the kernel refuses to commit a CXL decoder on
# a CPU that shows it.
sq_machine_arguments() {
    # shellcheck disable=SC2178 # a name reference to an array
    local -n result=$1

    result=(
        -machine q35,cxl=on -accel "$accel" -cpu max,-hypervisor -m "$ram" -smp "$cpus"
        -nodefaults -no-user-config -display none -no-reboot
        -L /usr/share/seabios -L /usr/share/qemu
        -fsdev "local,id=share,path=$share,security_model=none"
        -device virtio-9p-pci,bus=pcie.0,fsdev=share,mount_tag=share
        -fsdev "local,id=source,path=$SQ_ROOT,security_model=none,readonly=on"
        -device virtio-9p-pci,bus=pcie.0,fsdev=source,mount_tag=source
        -fsdev "local,id=build,path=$(dirname -- "$bin"),security_model=none,readonly=on"
        -device virtio-9p-pci,bus=pcie.0,fsdev=build,mount_tag=build
    )
    [ -z "$qmp" ] || result+=(-qmp "unix:$qmp,server=on,wait=off")
    [ "$card" = 0 ] || sq_machine_card
}

# A host bridge with one root port, one decoder window that holds the card's
# whole logical space, and the card: memory and controller.
sq_machine_card() {
    local window=$((memory_bytes * bloat))
    result+=(
        -object "memory-backend-file,id=pm0,share=on,mem-path=$state/planes,size=$memory_bytes"
        -object "memory-backend-file,id=lsa0,share=on,mem-path=$state/labels,size=1M"
        -device pxb-cxl,bus=pcie.0,bus_nr=12,id=cxl0
        -device cxl-rp,bus=cxl0,port=0,chassis=0,slot=2,id=rp0
        -M "cxl-fmw.0.targets.0=cxl0,cxl-fmw.0.size=$window"
        -device "cxl-smartquant,bus=rp0,addr=0.0,multifunction=on,persistent-memdev=pm0,lsa=lsa0,id=sq0,bloat=$bloat,views=$views"
        -device "smartquant-controller,bus=rp0,addr=0.1,memory=sq0"
    )
}

# ttyS0 has the kernel's log, ttyS1 the shell (boot: one for both). The command's standard output
# and standard error (descriptors 5 and 6) are virtio ports: exact bytes, and
# fast, which a console is not.
sq_machine_consoles() {
    # shellcheck disable=SC2178
    local -n result=$1
    local mode=$2
    if [ "$action" = boot ]; then
        result+=(-chardev "stdio,id=terminal,signal=off,logfile=$kernel_log")
        result+=(-serial chardev:terminal)
    elif [ "$mode" = run ]; then
        result+=(-serial "file:$kernel_log")
    else
        result+=(-serial "file:$kernel_log")
        result+=(-chardev stdio,id=terminal,signal=off -serial chardev:terminal)
    fi
    if [ "$action" = run ]; then
        result+=(
            -device virtio-serial-pci,bus=pcie.0
            -add-fd fd=5,set=5 -chardev file,id=out,path=/dev/fdset/5,append=on
            -add-fd fd=6,set=6 -chardev file,id=err,path=/dev/fdset/6,append=on
            -device virtserialport,chardev=out,name=out
            -device virtserialport,chardev=err,name=err
        )
    fi
}
