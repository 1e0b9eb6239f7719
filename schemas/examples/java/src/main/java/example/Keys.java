package example;

import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The key to seal for: the newest that serves and that the service's root key has signed. */
final class Keys {
    private static final int SECONDS = 10;

    private Keys() {}

    /** Waits for one, and throws when none comes; a program that lives for long goes on reading. */
    static ECKey sealing(String servers, String namespace, String trust) throws Exception {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", servers, "isolation.level", "read_committed");
        var text = new StringDeserializer();
        try (var consumer = new KafkaConsumer<>(settings, text, text)) {
            var topic = List.of(new TopicPartition(namespace + ".state.keys.v1", 0));
            consumer.assign(topic);
            consumer.seekToBeginning(topic);
            long end = consumer.endOffsets(topic).get(topic.get(0));
            ECKey newest = null;
            Instant since = Instant.MIN;
            var latest = Instant.now().plusSeconds(SECONDS);
            while (newest == null || consumer.position(topic.get(0)) < end) {
                if (Instant.now().isAfter(latest)) {
                    throw new TimeoutException("no key under this trust within " + SECONDS + " s");
                }
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    var key = record.value() == null ? null : signed(record.value(), trust);
                    if (key == null || !serves(key)) continue;
                    var from = Instant.parse((String) key.get("not_before"));
                    if (from.isBefore(since)) continue;
                    var jwk = ECKey.parse(JSONObjectUtils.getJSONObject(key, "jwk"));
                    newest = new ECKey.Builder(jwk).keyID((String) key.get("kid")).build();
                    since = from;
                }
            }
            return newest;
        }
    }

    private static boolean serves(Map<String, Object> key) {
        return "enc".equals(key.get("use"))
                && key.get("retired_at") == null
                && !Instant.parse((String) key.get("not_before")).isAfter(Instant.now());
    }

    /** What the root key signed, which is what counts; null when another one did. */
    private static Map<String, Object> signed(String record, String trust) throws Exception {
        var jws = JWSObject.parse((String) JSONObjectUtils.parse(record).get("signature"));
        var root = (OctetKeyPair) jws.getHeader().getJWK();
        boolean pinned = trust.isEmpty() || root.computeThumbprint().toString().equals(trust);
        return pinned && jws.verify(new Ed25519Verifier(root)) ? jws.getPayload().toJSONObject() : null;
    }
}
