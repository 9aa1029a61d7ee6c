package intercom.extractor;

import com.google.protobuf.Message;

/**
 * One row of a table.
 *
 * @param table the table's name, such as {@code conversation_parts}
 * @param message the table's own message, such as {@link intercom.extractor.v1.ConversationPart};
 *     its {@code has} methods tell null from empty
 */
public record Row(String table, Message message) {}
