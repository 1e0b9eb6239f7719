package example;

import com.nimbusds.jose.util.JSONObjectUtils;
import io.cloudevents.kafka.CloudEventDeserializer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A downstream module: hears the committed events, from the first one on. */
public final class Events {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", Login.setting("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
                "group.id", Login.setting("GROUP", "billing"),
                "auto.offset.reset", "earliest",
                "enable.auto.commit", false,
                "isolation.level", "read_committed"); // its own default is read_uncommitted
        try (var consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), new CloudEventDeserializer())) {
            consumer.subscribe(List.of(Login.setting("AUTHBUS_NAMESPACE", "auth") + ".events.v1"));
            while (true) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    var event = record.value();
                    var data = JSONObjectUtils.parse(new String(event.getData().toBytes()));
                    System.out.println(
                            event.getType() + " " + data.get("user_id") + " " + data.get("sequence"));
                }
                consumer.commitSync(); // an event may come again: its sequence tells
            }
        }
    }

    private Events() {}
}
