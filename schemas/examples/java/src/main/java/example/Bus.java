package example;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDHDecrypter;
import com.nimbusds.jose.crypto.ECDHEncrypter;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.kafka.support.TopicPartitionOffset.SeekPosition;

/** Sends sealed commands and waits for their answers, over Spring's ReplyingKafkaTemplate as it is. */
final class Bus implements AutoCloseable {
    /** The service's refusal: an answer, not a fault. */
    static final class Rejected extends Exception {
        private static final long serialVersionUID = 1;
        final String code;

        Rejected(Map<String, Object> answer) {
            super(answer.get("code") + ": " + answer.get("detail"));
            code = (String) answer.get("code");
        }
    }

    /** A command lives for so long, and its answer is waited for. */
    private static final int SECONDS = 30;

    private static final SecureRandom CHANCE = new SecureRandom();
    private final DefaultKafkaProducerFactory<String, String> producers;
    private final ReplyingKafkaTemplate<String, String, String> template;
    private final String namespace;
    private final String client;
    private final Keys keys;

    /** One declared client; trust is the thumbprint that the service prints. */
    Bus(String servers, String namespace, String client, String trust) throws Exception {
        this.namespace = namespace;
        this.client = client;
        keys = new Keys(servers, namespace, trust);
        producers = new DefaultKafkaProducerFactory<>(
                Map.of("bootstrap.servers", servers), new StringSerializer(), new StringSerializer());
        var consumers = new DefaultKafkaConsumerFactory<>(
                Map.of("bootstrap.servers", servers, "enable.auto.commit", false),
                new StringDeserializer(), new StringDeserializer());
        // Without a group: every process of this client reads all of its answers.
        var replies = new ContainerProperties(
                new TopicPartitionOffset(namespace + ".replies." + client, 0, SeekPosition.END));
        replies.setAckMode(ContainerProperties.AckMode.MANUAL);
        var container = new KafkaMessageListenerContainer<>(consumers, replies);
        template = new ReplyingKafkaTemplate<>(producers, container);
        template.setSharedReplyTopic(true);
        template.setDefaultReplyTimeout(Duration.ofSeconds(SECONDS)); // its own is 5
        template.afterPropertiesSet();
        template.start();
        template.waitForAssignment(Duration.ofSeconds(30));
    }

    /**
     * What a command is answered, for example LogIn to credentials. Commands with the same key are
     * handled in turn; it stands in the clear, so it is an id, or null, no address.
     */
    Map<String, Object> ask(String kind, String topic, String key, Map<String, ?> data) throws Exception {
        var now = Instant.now();
        // To try again after a time-out, send the same record: it has its effect once.
        Map<String, Object> envelope = new HashMap<>(Map.of(
                "specversion", "1.0", "id", uuid7(now), "type", "authbus." + kind + ".v1",
                "source", "/clients/" + client, "time", now.toString(),
                "expirytime", now.plusSeconds(SECONDS).toString()));
        var record = new ProducerRecord<String, String>(
                namespace + ".commands." + topic + ".v1", key, null);
        var headers = record.headers().add("content-type", "application/jose".getBytes(UTF_8));
        envelope.forEach((name, value) -> headers.add("ce_" + name, ((String) value).getBytes(UTF_8)));
        var once = new ECKeyGenerator(Curve.P_256).generate();
        envelope.put("data", data);
        envelope.put("reply_key", once.toPublicJWK().toJSONObject());
        var sealed = new ProducerRecord<>(
                record.topic(), null, key, seal(JSONObjectUtils.toJSONString(envelope)), headers);
        return read(template.sendAndReceive(sealed).get(SECONDS, TimeUnit.SECONDS), once);
    }

    private String seal(String payload) throws Exception {
        var serving = keys.sealing();
        var header = new JWEHeader.Builder(JWEAlgorithm.ECDH_ES, EncryptionMethod.A256GCM)
                .keyID(serving.getKeyID()).build();
        var jwe = new JWEObject(header, new Payload(payload));
        jwe.encrypt(new ECDHEncrypter(serving));
        return jwe.serialize();
    }

    /** Only a refusal comes in the clear: anybody could have made another answer that does. */
    private static Map<String, Object> read(ConsumerRecord<String, String> reply, ECKey once)
            throws Exception {
        if (header(reply.headers(), "ce_type").equals("authbus.Rejected.v1")) {
            throw new Rejected(JSONObjectUtils.parse(reply.value()));
        }
        var jwe = JWEObject.parse(reply.value());
        jwe.decrypt(new ECDHDecrypter(once));
        return JSONObjectUtils.parse(jwe.getPayload().toString());
    }

    private static String header(Headers headers, String name) {
        return new String(headers.lastHeader(name).value(), UTF_8);
    }

    private static String uuid7(Instant now) {
        long high = now.toEpochMilli() << 16 | 0x7000 | CHANCE.nextInt(0x1000);
        return new UUID(high, CHANCE.nextLong() >>> 2 | Long.MIN_VALUE).toString();
    }

    @Override
    public void close() {
        template.stop();
        template.destroy();
        producers.destroy();
        keys.close();
    }
}
