package org.backplane.web.metrics;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot.StateSetDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.VcpuCounters;

/** The machine as Prometheus sees it, read anew for each scrape. Thread-safe. */
final class MachineMetrics implements MultiCollector {
    private static final List<String> STATES = List.of("created", "running", "paused", "stopped");

    private final Supplier<Optional<Machine>> machine;

    /**
     * @param machine there is none while it is being built, and after its end
     */
    MachineMetrics(Supplier<Optional<Machine>> machine) {
        this.machine = machine;
    }

    @Override
    public MetricSnapshots collect() {
        return machine.get().map(MachineMetrics::of).orElseGet(MetricSnapshots::of);
    }

    private static MetricSnapshots of(Machine machine) {
        var metrics = new ArrayList<MetricSnapshot>();
        MachineCounters counters = machine.counters();
        machine(machine.report(), metrics);
        vcpus(counters.vcpus(), metrics);
        slots(machine.slots(), metrics);
        counts(counters.slots(), metrics);
        return new MetricSnapshots(metrics);
    }

    private static void machine(MachineReport report, List<MetricSnapshot> metrics) {
        metrics.add(
                InfoSnapshot.builder()
                        .name("backplane_machine")
                        .help("What the machine is.")
                        .dataPoint(
                                InfoDataPointSnapshot.builder()
                                        .labels(
                                                Labels.of(
                                                        "name",
                                                        report.name(),
                                                        "engine",
                                                        report.engine(),
                                                        "board",
                                                        report.board()))
                                        .build())
                        .build());
        metrics.add(
                StateSetSnapshot.builder()
                        .name("backplane_machine_state")
                        .help("Whether the machine runs.")
                        .dataPoint(states(Labels.EMPTY, STATES, report.state()))
                        .build());
        metrics.add(
                gauge(
                        "backplane_machine_memory_bytes",
                        "Memory of the guest.",
                        Unit.BYTES,
                        report.memory()));
        metrics.add(
                gauge(
                        "backplane_machine_vcpus",
                        "Processors of the machine.",
                        null,
                        report.vcpus()));
        metrics.add(
                counter(
                        "backplane_machine_guest_time_seconds",
                        "Guest time, without the machine's pauses.",
                        Unit.SECONDS,
                        List.of(point(Labels.EMPTY, report.guestTime().toNanos() / 1e9))));
        metrics.add(
                counter(
                        "backplane_machine_boots",
                        "Times the guest was started in this process.",
                        null,
                        List.of(point(Labels.EMPTY, report.boots()))));
    }

    private static void vcpus(List<VcpuCounters> vcpus, List<MetricSnapshot> metrics) {
        metrics.add(
                counter(
                        "backplane_vcpu_instructions",
                        "Guest instructions that the processor completed.",
                        null,
                        vcpus(vcpus, VcpuCounters::instructions)));
        metrics.add(
                counter(
                        "backplane_vcpu_exits",
                        "Accesses that left the processor for the machine's bus.",
                        null,
                        vcpus(vcpus, VcpuCounters::exits)));
    }

    private static List<CounterDataPointSnapshot> vcpus(
            List<VcpuCounters> vcpus, ToLongFunction<VcpuCounters> value) {
        return vcpus.stream()
                .map(
                        vcpu ->
                                point(
                                        Labels.of("vcpu", Integer.toString(vcpu.index())),
                                        value.applyAsLong(vcpu)))
                .toList();
    }

    private static void slots(List<SlotReport> slots, List<MetricSnapshot> metrics) {
        InfoSnapshot.Builder info =
                InfoSnapshot.builder()
                        .name("backplane_slot")
                        .help("What a slot is, and the bundle whose device fills it.");
        StateSetSnapshot.Builder state =
                StateSetSnapshot.builder()
                        .name("backplane_slot_state")
                        .help("What becomes of the slot's device.");
        List<String> states =
                java.util.Arrays.stream(SlotState.values()).map(MachineMetrics::name).toList();
        for (SlotReport slot : slots) {
            info.dataPoint(
                    InfoDataPointSnapshot.builder()
                            .labels(
                                    Labels.of(
                                            "slot", slot.name(),
                                            "kind", slot.kind(),
                                            "bundle", slot.bundle(),
                                            "version", slot.version()))
                            .build());
            state.dataPoint(states(Labels.of("slot", slot.name()), states, name(slot.state())));
        }
        metrics.add(info.build());
        metrics.add(state.build());
    }

    private static String name(SlotState state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    private static void counts(List<SlotCounters> slots, List<MetricSnapshot> metrics) {
        metrics.add(
                counter(
                        "backplane_slot_register_reads",
                        "Reads by processors of the slot's registers and configuration space.",
                        null,
                        slots(slots, SlotCounters::registerReads)));
        metrics.add(
                counter(
                        "backplane_slot_register_writes",
                        "Writes by processors to the slot's registers and configuration space.",
                        null,
                        slots(slots, SlotCounters::registerWrites)));
        metrics.add(
                counter(
                        "backplane_slot_doorbells",
                        "Times the driver rang a queue's doorbell.",
                        null,
                        slots(slots, SlotCounters::doorbells)));
        metrics.add(
                counter(
                        "backplane_slot_interrupts",
                        "Messages sent, and times an interrupt line of the slot rose.",
                        null,
                        slots(slots, SlotCounters::interrupts)));
        metrics.add(
                counter(
                        "backplane_slot_requests",
                        "Requests that the device completed.",
                        null,
                        slots(slots, SlotCounters::requests)));
        metrics.add(
                counter(
                        "backplane_slot_read_bytes",
                        "Bytes the driver gave the device to read in completed requests.",
                        Unit.BYTES,
                        slots(slots, SlotCounters::bytesRead)));
        metrics.add(
                counter(
                        "backplane_slot_written_bytes",
                        "Bytes the device wrote into guest memory for completed requests.",
                        Unit.BYTES,
                        slots(slots, SlotCounters::bytesWritten)));
        metrics.add(
                counter(
                        "backplane_slot_guest_errors",
                        "Mistakes of the slot's driver.",
                        null,
                        slots(slots, SlotCounters::guestErrors)));
    }

    private static List<CounterDataPointSnapshot> slots(
            List<SlotCounters> slots, ToLongFunction<SlotCounters> value) {
        return slots.stream()
                .map(slot -> point(Labels.of("slot", slot.slot()), value.applyAsLong(slot)))
                .toList();
    }

    private static CounterDataPointSnapshot point(Labels labels, double value) {
        return CounterDataPointSnapshot.builder().labels(labels).value(value).build();
    }

    private static MetricSnapshot counter(
            String name, String help, Unit unit, List<CounterDataPointSnapshot> points) {
        CounterSnapshot.Builder counter =
                CounterSnapshot.builder().name(name).help(help).unit(unit);
        points.forEach(counter::dataPoint);
        return counter.build();
    }

    private static MetricSnapshot gauge(String name, String help, Unit unit, double value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .unit(unit)
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
                .build();
    }

    private static StateSetDataPointSnapshot states(
            Labels labels, List<String> all, String current) {
        StateSetDataPointSnapshot.Builder point =
                StateSetDataPointSnapshot.builder().labels(labels);
        all.forEach(state -> point.state(state, state.equals(current)));
        return point.build();
    }
}
