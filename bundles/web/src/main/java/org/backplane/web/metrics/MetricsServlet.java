package org.backplane.web.metrics;

import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmClassLoadingMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmGarbageCollectorMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmMemoryMetrics;
import io.prometheus.metrics.instrumentation.jvm.JvmRuntimeInfoMetric;
import io.prometheus.metrics.instrumentation.jvm.JvmThreadsMetrics;
import io.prometheus.metrics.instrumentation.jvm.ProcessMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;
import org.backplane.machine.Machine;
import org.backplane.web.access.Door;

/** What Prometheus scrapes, for who shows the token. Thread-safe. */
public final class MetricsServlet extends HttpServlet {
    public static final String PATH = "/metrics";
    private static final long serialVersionUID = 1;

    private final transient Door door;
    private final transient PrometheusRegistry registry = new PrometheusRegistry();
    private final transient PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    /**
     * @param machine there is none while it is being built, and after its end
     */
    public MetricsServlet(Door door, Supplier<Optional<Machine>> machine) {
        this.door = door;
        registry.register(new MachineMetrics(machine));
        // Those that are asked at each scrape. Others of the library listen for events of the JVM,
        // which would keep this bundle's classes for ever.
        JvmClassLoadingMetrics.builder().register(registry);
        JvmGarbageCollectorMetrics.builder().register(registry);
        JvmMemoryMetrics.builder().register(registry);
        JvmRuntimeInfoMetric.builder().register(registry);
        JvmThreadsMetrics.builder().register(registry);
        ProcessMetrics.builder().register(registry);
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        Door.Verdict verdict = door.look(request);
        if (verdict != Door.Verdict.IN) {
            Door.refuse(verdict, response);
            return;
        }
        response.setContentType(writer.getContentType());
        response.setHeader("Cache-Control", "no-store");
        writer.write(response.getOutputStream(), registry.scrape());
    }
}
