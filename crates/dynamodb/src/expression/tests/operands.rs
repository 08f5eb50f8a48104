//! Faults of expressions that are well formed, and which of two is reported.

use super::{all, filter};

const PARENTHESES_FUNCTIONS_AND_WORDS: &[(&str, &str)] = &[
    ("((a = :p))", "The expression has redundant parentheses;"),
    ("((a)) = :p", "The expression has redundant parentheses;"),
    ("a = ((:p))", "The expression has redundant parentheses;"),
    ("size(((a))) = :p", "The expression has redundant parentheses;"),
    ("a IN (((:p)))", "The expression has redundant parentheses;"),
    ("NOT ((a = :p))", "The expression has redundant parentheses;"),
    ("a = :p OR ( ( b = :v ) )", "The expression has redundant parentheses;"),
    ("foo(a) AND ((a = :p))", "The expression has redundant parentheses;"),
    ("((a = :undefined))", "The expression has redundant parentheses;"),
    ("(((a = :p AND b = :v)))", "The expression has redundant parentheses;"),
    ("foo(a)", "Invalid function name; function: foo"),
    ("FOO(a, :p)", "Invalid function name; function: FOO"),
    ("Begins_with(a, :p)", "Invalid function name; function: Begins_with"),
    ("SIZE(a) = :n", "Invalid function name; function: SIZE"),
    ("foo(name)", "Invalid function name; function: foo"),
    ("foo(begins_with(a, :p)) = :p", "Invalid function name; function: foo"),
    ("begins_with(foo(a), :p)", "Invalid function name; function: foo"),
    ("a (b) = :p", "Invalid function name; function: a"),
    ("a = :undefined AND foo(a)", "Invalid function name; function: foo"),
    ("name = :p AND foo(a)", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("name = :p", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("a = :p AND Status = :v", "Attribute name is a reserved keyword; reserved keyword: Status"),
    ("a.name = :p", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("a[99999999999] = :p AND foo(a)", "List index is not within the allowable range; index: [99999999999]"),
    ("name = :p AND a[99999999999] = :p", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("a[2147483648] = :p", "List index is not within the allowable range; index: [2147483648]"),
    ("a[2147483647] = :p", "OK"),
    ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
    ("(size(a))", "The function is not allowed to be used this way in an expression; function: size"),
    ("NOT size(a)", "The function is not allowed to be used this way in an expression; function: size"),
    (
        "size(a) AND a = :p",
        "The function is not allowed to be used this way in an expression; function: size",
    ),
    ("size(name)", "The function is not allowed to be used this way in an expression; function: size"),
    (
        "a = attribute_exists(a)",
        "The function is not allowed to be used this way in an expression; function: attribute_exists",
    ),
    (
        "attribute_exists(a) = :p",
        "The function is not allowed to be used this way in an expression; function: attribute_exists",
    ),
    (
        "a IN (begins_with(a,:p))",
        "The function is not allowed to be used this way in an expression; function: begins_with",
    ),
    (
        "begins_with(begins_with(a,:p),:p)",
        "The function is not allowed to be used this way in an expression; function: begins_with",
    ),
    (
        "begins_with(name,:p) = :p",
        "The function is not allowed to be used this way in an expression; function: begins_with",
    ),
    (
        "if_not_exists(a, :p)",
        "The function is not allowed in a condition expression; function: if_not_exists",
    ),
    (
        "list_append(a, :l) = :l",
        "The function is not allowed in a condition expression; function: list_append",
    ),
    (
        "if_not_exists(name,:p) = :p",
        "The function is not allowed in a condition expression; function: if_not_exists",
    ),
    (
        "size(list_append(a,:l)) = :n",
        "The function is not allowed in a condition expression; function: list_append",
    ),
    (
        "size(a) AND name = :p",
        "The function is not allowed to be used this way in an expression; function: size",
    ),
    ("name = :p AND size(a)", "Attribute name is a reserved keyword; reserved keyword: name"),
];

#[test]
fn parentheses_functions_and_words() {
    all(filter, PARENTHESES_FUNCTIONS_AND_WORDS);
}

const PLACEHOLDERS_AND_OPERANDS: &[(&str, &str)] = &[
    ("#u = :p", "An expression attribute name used in the document path is not defined; attribute name: #u"),
    (
        "#u = :undefined",
        "An expression attribute name used in the document path is not defined; attribute name: #u",
    ),
    (
        "a = :undefined",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        ":undefined = #u",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "a = :undefined AND #u = :p",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "a.#u.c = :p",
        "An expression attribute name used in the document path is not defined; attribute name: #u",
    ),
    (
        "begins_with(a, :n) AND a = :undefined",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ),
    (
        "a = :undefined AND begins_with(a, :n)",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "begins_with(:b, :undefined)",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "begins_with(size(:n), :undefined)",
        "Incorrect operand type for operator or function; operator or function: size, operand type: N",
    ),
    (
        ":undefined = size(:n)",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "begins_with(:undefined)",
        "An expression attribute value used in expression is not defined; attribute value: :undefined",
    ),
    (
        "begins_with(a)",
        "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
    ),
    (
        "attribute_exists(a, b)",
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
    ),
    (
        "size(a,b) = :n",
        "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
    ),
    (
        "contains(a, :p, :p)",
        "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 3",
    ),
    (
        "begins_with(a) AND a = :undefined",
        "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
    ),
    (
        "a = a",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
    ),
    (
        "a < a",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: <, first operand: [a]",
    ),
    (
        "a <> a",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: <>, first operand: [a]",
    ),
    (
        "a.b = a.b",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a, b]",
    ),
    (
        "#a = a",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
    ),
    (
        "a.b[0].c = a.b[0].c",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a, b, [0], c]",
    ),
    (
        "a BETWEEN :p AND a",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: BETWEEN, first operand: [a]",
    ),
    (
        "a IN (b, a)",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [a]",
    ),
    (
        "begins_with(a,a)",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: begins_with, first operand: [a]",
    ),
    (
        "contains(a,a)",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a]",
    ),
    (
        "attribute_type(a,a)",
        "The first operand must be distinct from the remaining operands for this operator or function; operator: attribute_type, first operand: [a]",
    ),
    ("size(a) = size(a)", "OK"),
    (":p = :p", "OK"),
    (
        "a < :b",
        "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
    ),
    (
        "a >= :ss",
        "Incorrect operand type for operator or function; operator or function: >=, operand type: SS",
    ),
    (":map > a", "Incorrect operand type for operator or function; operator or function: >, operand type: M"),
    (
        "a < :z",
        "Incorrect operand type for operator or function; operator or function: <, operand type: NULL",
    ),
    ("a <= :l", "Incorrect operand type for operator or function; operator or function: <=, operand type: L"),
    ("a = :b", "OK"),
    ("a <> :b", "OK"),
    ("a IN (:b)", "OK"),
    (":p < :n", "OK"),
    ("size(a) < :p", "OK"),
    (
        "a BETWEEN :b AND :p",
        "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
    ),
    (
        "a BETWEEN :p AND :b",
        "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
    ),
    (
        ":b BETWEEN :p AND :v",
        "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL",
    ),
    (
        "a BETWEEN :n AND :p",
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}",
    ),
    (
        "a BETWEEN :v AND :p",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}",
    ),
    (
        "a BETWEEN :m AND :n",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2.50}, upper bound operand: AttributeValue: {N:1}",
    ),
    (
        "a BETWEEN :B AND :C",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {B:AQ==}, upper bound operand: AttributeValue: {B:AA==}",
    ),
    ("a BETWEEN :p AND :p", "OK"),
    (
        "size(a) BETWEEN :v AND :p",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}",
    ),
    ("a BETWEEN b AND :n", "OK"),
    (
        "begins_with(a, :n)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ),
    (
        "begins_with(:b, :p)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: BOOL",
    ),
    (
        "begins_with(a, :ss)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: SS",
    ),
    (
        "begins_with(size(a), :p)",
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
    ),
    ("begins_with(:B, :p)", "OK"),
    ("contains(:n, :p)", "OK"),
    ("contains(a, :l)", "OK"),
    ("contains(a, size(b))", "OK"),
    (
        "size(:n) = :p",
        "Incorrect operand type for operator or function; operator or function: size, operand type: N",
    ),
    (
        "size(:b) = :p",
        "Incorrect operand type for operator or function; operator or function: size, operand type: BOOL",
    ),
    (
        "size(:z) = :p",
        "Incorrect operand type for operator or function; operator or function: size, operand type: NULL",
    ),
    ("size(:map) > :n", "OK"),
    (
        "size(size(a)) = :n",
        "Incorrect operand type for operator or function; operator or function: size, operand type: N",
    ),
    (
        "attribute_exists(:p)",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    (
        "attribute_not_exists(size(a))",
        "Operator or function requires a document path; operator or function: attribute_not_exists",
    ),
    ("attribute_type(a, :t)", "OK"),
    (
        "attribute_type(a, :n)",
        "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
    ),
    (
        "attribute_type(a, b)",
        "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: {S,SS,N,NS,B,BS,BOOL,NULL,L,M,HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,DECIMAL,INT,DECIMALSET,INTSET}",
    ),
    (
        "attribute_type(a, :p)",
        "Invalid attribute type name found; type: a, valid types: {S,SS,N,NS,B,BS,BOOL,NULL,L,M}",
    ),
    ("attribute_type(:p, :t)", "OK"),
    (
        "a < :b OR a = a",
        "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
    ),
];

#[test]
fn placeholders_and_operands() {
    all(filter, PLACEHOLDERS_AND_OPERANDS);
}
